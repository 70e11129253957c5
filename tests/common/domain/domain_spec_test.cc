#include "common/domain/domain_spec.h"

#include "common/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

DomainSpec Minimal() {
  DomainSpec spec;
  spec.domain = "law";
  spec.base = "Qwen/Qwen2.5-3B";
  spec.data.train = {"train.jsonl"};
  return spec;
}

std::string ErrorOf(const json& json) {
  const auto spec = DomainSpecFromJson(json);
  if (spec.ok()) return "OK";
  EXPECT_EQ(spec.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(spec.status().message());
}

TEST(DomainSpecTest, JsonHoldsEveryFieldWithItsDefaultAndKeysAreSorted) {
  const json json = ToJson(Minimal());
  EXPECT_EQ(json["training"]["learning_rate"], 2.0e-4);
  EXPECT_EQ(json["data"]["max_length"], 1024);
  EXPECT_EQ(json["lora"]["target_modules"], json::array({"all-linear"}));
  EXPECT_TRUE(json["lora"]["lora_alpha"].is_null());
  EXPECT_TRUE(json["gate"]["require"].is_null());
  EXPECT_EQ(json.dump().find(R"({"base":"Qwen/Qwen2.5-3B","data":{"chat_template")"), 0u);
}

TEST(DomainSpecTest, ComesBackFromItsJsonUnchanged) {
  DomainSpec spec = Minimal();
  spec.description = "Право Казахстана";
  spec.labels = {{"team", "law"}, {"tier", "1"}};
  spec.data.validation = std::string("validation.jsonl");
  spec.data.max_samples = 10;
  spec.lora.lora_alpha = 0.1;
  spec.lora.target_modules = {"q_proj", "v_proj"};
  spec.lora.layers_to_transform = {{0, 3}};
  spec.training.learning_rate = 1.0 / 3.0;
  spec.training.seed = INT64_MAX;
  spec.training.gradient_checkpointing = "true";
  spec.gate.require = "eval_loss_below_base";
  const auto back = DomainSpecFromJson(json::parse(ToJson(spec).dump()));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(ToJson(*back), ToJson(spec));
  EXPECT_EQ(back->training.learning_rate, 1.0 / 3.0);
  EXPECT_EQ(back->training.seed, INT64_MAX);
  EXPECT_EQ(std::get<std::string>(back->data.validation), "validation.jsonl");
}

TEST(DomainSpecTest, WhatASchedulerIsSentIsCheckedLikeAFile) {
  json sent = ToJson(Minimal());
  sent["data"]["max_length"] = 0;
  sent["lora"]["rank"] = 8;
  sent["domain"] = "../../etc";
  const std::string error = ErrorOf(sent);
  EXPECT_THAT(error, HasSubstr("data.max_length must be from 2 to 16777216, not 0"));
  EXPECT_THAT(error, HasSubstr("lora: unknown key 'rank'"));
  EXPECT_THAT(error, HasSubstr("domain must be 1 to 63 of a-z"));
}

TEST(DomainSpecTest, JsonOfTheWrongShapeIsAnErrorNotACrash) {
  EXPECT_EQ(ErrorOf(json::array()), "a spec must be a JSON object");
  EXPECT_EQ(ErrorOf(json(nullptr)), "a spec must be a JSON object");
  json deep = 1;
  for (int i = 0; i < 1000; ++i) deep = json::array({std::move(deep)});
  EXPECT_THAT(ErrorOf({{"labels", deep}}), HasSubstr("nested deeper"));
  EXPECT_THAT(ErrorOf({{"labels", std::vector<int>(100000, 1)}}),
              HasSubstr("more than 20000 values"));
  EXPECT_THAT(ErrorOf({{"domain", "\xff"}}), HasSubstr("not UTF-8"));
  for (const json& wrong : {json(3), json("x"), json(true), json::array({1}), json(1e300)}) {
    json sent = ToJson(Minimal());
    for (auto& [key, value] : sent.items()) value = wrong;
    ErrorOf(sent);
    json inner = ToJson(Minimal());
    for (auto& [key, value] : inner.items()) {
      if (!value.is_object()) continue;
      for (auto& [name, field] : value.items()) field = wrong;
    }
    EXPECT_NE(ErrorOf(inner), "OK");
  }
}

TEST(DomainSpecTest, DigestIsThatOfWhatCanChangeTheAdapter) {
  const DomainSpec spec = Minimal();
  const std::string digest = SpecDigest(spec);
  EXPECT_TRUE(IsSha256Hex(digest));

  DomainSpec same = spec;
  same.domain = "other";
  same.description = "text";
  same.priority = 99;
  same.labels = {{"a", "b"}};
  same.data.train = {"moved/train.jsonl"};
  same.data.test = "test.jsonl";
  EXPECT_EQ(SpecDigest(same), digest);

  const auto changed = [&](auto change) {
    DomainSpec other = spec;
    change(other);
    return SpecDigest(other) != digest;
  };
  EXPECT_TRUE(changed([](DomainSpec& s) { s.base = "Qwen/Qwen2.5-7B"; }));
  EXPECT_TRUE(changed([](DomainSpec& s) { s.revision = "v2"; }));
  EXPECT_TRUE(changed([](DomainSpec& s) { s.data.max_length = 512; }));
  EXPECT_TRUE(changed([](DomainSpec& s) { s.data.validation = 0.2; }));
  EXPECT_TRUE(changed([](DomainSpec& s) { s.quantization.load_in_4bit = false; }));
  EXPECT_TRUE(changed([](DomainSpec& s) { s.lora.r = 16; }));
  EXPECT_TRUE(changed([](DomainSpec& s) { s.training.seed = 1; }));
  EXPECT_TRUE(changed([](DomainSpec& s) { s.evaluation.samples = 5; }));
  EXPECT_TRUE(changed([](DomainSpec& s) { s.gate.require = "eval_loss_below_base"; }));
}

TEST(DomainSpecTest, DigestKnowsAValidationFileFromAFractionButNotItsName) {
  DomainSpec fraction = Minimal(), file = Minimal(), renamed = Minimal();
  file.data.validation = std::string("a.jsonl");
  renamed.data.validation = std::string("b.jsonl");
  EXPECT_NE(SpecDigest(file), SpecDigest(fraction));
  EXPECT_EQ(SpecDigest(file), SpecDigest(renamed));
}

// Versions in a registry name their spec by this digest: a change here makes every domain
// `changed`.
TEST(DomainSpecTest, DigestOfTheDefaultsStaysWhatItWas) {
  EXPECT_EQ(SpecDigest(Minimal()),
            "38e601d2062483eaadbf0169fa9812b54040c7691c4f3b66fb5d2cbc50e0e454");
}

TEST(DomainSpecTest, AlphaIsTwiceTheRankWhereItIsNotGiven) {
  LoraSpec lora;
  lora.r = 6;
  EXPECT_EQ(lora.Alpha(), 12);
  lora.lora_alpha = 5;
  EXPECT_EQ(lora.Alpha(), 5);
}

TEST(DomainSpecTest, NamesThatBecomePathsHoldNothingThatLeavesThem) {
  for (const char* good : {"law", "a", "kazakh-law_2", "1st"})
    EXPECT_TRUE(IsDomainName(good)) << good;
  for (const char* bad : {"", "-law", "_law", "Law", "a/b", "..", "a.b", "закон", "a b"}) {
    EXPECT_FALSE(IsDomainName(bad)) << bad;
  }
  EXPECT_TRUE(IsDomainName(std::string(63, 'a')));
  EXPECT_FALSE(IsDomainName(std::string(64, 'a')));
  for (const char* good : {"gpt2", "google/gemma-3-4b-it", "Qwen/Qwen2.5-3B"}) {
    EXPECT_TRUE(IsBaseName(good)) << good;
  }
  for (const char* bad :
       {"", "/", "a/", "/a", "a/b/c", "../a", "a/..", "a/.b", "a b", "a//b", "-a"}) {
    EXPECT_FALSE(IsBaseName(bad)) << bad;
  }
  EXPECT_TRUE(IsRevision("refs/pr/3"));
  EXPECT_FALSE(IsRevision("a/../b"));
}

}  // namespace
}  // namespace mozgach
