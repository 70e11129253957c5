#include "trainer/adapter/model_card.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <string>

#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Json = nlohmann::json;

constexpr char kOpening[] = "---\n";

std::string FrontMatterOf(const std::string& card) {
  const size_t end = card.find("\n---\n", 4);
  EXPECT_EQ(card.substr(0, 4), kOpening);
  EXPECT_NE(end, std::string::npos);
  return card.substr(4, end - 3);
}

YAML::Node CardOf(const DomainSpec& spec, const Json& metrics) {
  return YAML::Load(FrontMatterOf(ModelCard(spec, metrics, AdapterFacts{})));
}

DomainSpec SpecOf(const std::string& domain, const std::string& base) {
  DomainSpec spec;
  spec.domain = domain;
  spec.base = base;
  return spec;
}

const Json kMetrics = {{"base", {{"eval_loss", 2.0}}},
                       {"adapter", {{"eval_loss", 1e-5}, {"perplexity", 1e20}}}};

TEST(ModelCardTest, IsYamlWithoutMetrics) {
  for (const Json& metrics :
       {Json::object(), Json{{"base", Json::object()}, {"adapter", Json::object()}},
        Json{{"base", nullptr}, {"adapter", nullptr}}}) {
    const YAML::Node card = CardOf(SpecOf("law", "Qwen/Qwen2.5-3B"), metrics);
    EXPECT_EQ(card["base_model"].as<std::string>(), "Qwen/Qwen2.5-3B");
    EXPECT_EQ(card["library_name"].as<std::string>(), "peft");
    EXPECT_FALSE(card["model-index"]);
  }
}

TEST(ModelCardTest, HasTheMetricsAsNumbers) {
  const YAML::Node card = CardOf(SpecOf("law", "a/b"), kMetrics);
  const YAML::Node metrics = card["model-index"][0]["results"][0]["metrics"];
  ASSERT_EQ(metrics.size(), 2u);
  EXPECT_EQ(metrics[0]["type"].as<std::string>(), "eval_loss");
  EXPECT_EQ(metrics[0]["value"].as<double>(), 1e-5);
  // YAML 1.1 takes a number without a point for a string.
  EXPECT_EQ(metrics[0]["value"].Scalar(), "1.0e-05");
  EXPECT_EQ(metrics[1]["value"].Scalar(), "1.0e+20");
}

TEST(ModelCardTest, LeavesOutMetricsThatAreNotFinite) {
  const Json metrics = {{"adapter", {{"eval_loss", std::nan("")}, {"perplexity", INFINITY}}}};
  EXPECT_FALSE(CardOf(SpecOf("law", "a/b"), metrics)["model-index"]);
}

TEST(ModelCardTest, KeepsEveryNameAString) {
  for (const char* name : {"no",
                           "1e5",
                           "null",
                           "~",
                           "- a",
                           "a: b",
                           "\"q\"",
                           "back\\slash",
                           "#c",
                           "line\nbreak",
                           "tab\t",
                           "\x7f",
                           "\u0085\u2028\ufeff",
                           "\u00e9\U0001f600",
                           "'",
                           "{a}",
                           "---",
                           "%",
                           "@x",
                           "`"}) {
    const YAML::Node card = CardOf(SpecOf(name, name), kMetrics);
    EXPECT_EQ(card["base_model"].as<std::string>(), name);
    EXPECT_EQ(card["model-index"][0]["name"].as<std::string>(), name);
    EXPECT_EQ(card["tags"][2].as<std::string>(), std::string("base_model:adapter:") + name);
  }
}

TEST(ModelCardTest, IgnoresWhatADescriptionHolds) {
  DomainSpec spec = SpecOf("law", "a/b");
  spec.description = "--- \n---\nbase_model: [\n\"";
  EXPECT_EQ(CardOf(spec, kMetrics)["base_model"].as<std::string>(), "a/b");
}

}  // namespace
}  // namespace mozgach
