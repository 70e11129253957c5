// mozgachctl plan as people run it, without a scheduler and without weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "nlohmann/json.hpp"
#include "tests/ctl/program.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kConfig[] = R"({"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 2048,
    "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
    "num_key_value_heads": 2, "max_position_embeddings": 32768, "tie_word_embeddings": true,
    "torch_dtype": "bfloat16"})";

class Plan : public ::testing::Test, protected ProgramTest {
 protected:
  Plan() {
    std::filesystem::create_directories(root() / "bases/Qwen/Qwen2.5-3B");
    Write("bases/Qwen/Qwen2.5-3B/config.json", kConfig);
    Write("rows.jsonl", R"({"instruction": "say it", "output": "it"})"
                        "\n"
                        R"({"instruction": "say that", "output": "that"})"
                        "\n");
    for (const std::string domain : {"law", "tax"}) {
      Write(domain + ".yaml", "domain: " + domain +
                                  "\nbase: Qwen/Qwen2.5-3B\n"
                                  "data: {train: rows.jsonl, packing: false}\n");
    }
  }

  std::string Path(const std::string& name) const { return (root() / name).string(); }
  Said Run(std::vector<std::string> words) {
    words.insert(words.begin(), {"--scheduler", "127.0.0.1:9", "plan"});
    return RunCtl(words);
  }
};

TEST_F(Plan, WorksWithoutASchedulerFromConfigJsonAlone) {
  const Said out = Run({Path("law.yaml"), "--device", "RTX 5060 Ti", "--json"});
  ASSERT_EQ(out.exit_code, 0) << out.err;
  const json plans = json::parse(out.out);
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_EQ(plans[0]["domain"], "law");
  EXPECT_EQ(plans[0]["fits"], true);
  EXPECT_EQ(plans[0]["trainable_parameters"], 14966784);
  int64_t sum = 0;
  for (const json& line : plans[0]["lines"]) sum += line["bytes"].get<int64_t>();
  EXPECT_EQ(plans[0]["total_bytes"], sum);
  EXPECT_EQ(plans[0]["left_bytes"], (int64_t{16} << 30) - sum);
  EXPECT_FALSE(plans[0]["variants"].empty());
  EXPECT_TRUE(plans[0]["time"]["seconds"].is_null());
}

TEST_F(Plan, DomainsThatAreAlikeAreShownOnceButStandEachInTheJson) {
  const std::vector<std::string> words = {Path("law.yaml"), Path("tax.yaml"), "--memory", "16GiB"};
  const Said shown = Run(words);
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("2 domains"));
  EXPECT_EQ(shown.out.find("quantised weights"), shown.out.rfind("quantised weights"));
  std::vector<std::string> with_json = words;
  with_json.push_back("--json");
  EXPECT_EQ(json::parse(Run(with_json).out).size(), 2u);
}

TEST_F(Plan, DomainsWhoseBaseIsNotThereDoNotHideTheOthers) {
  for (const std::string domain : {"lost", "gone"}) {
    Write(domain + ".yaml",
          "domain: " + domain + "\nbase: Qwen/Qwen2.5-7B\ndata: {train: rows.jsonl}\n");
  }
  const std::vector<std::string> words = {Path("lost.yaml"), Path("law.yaml"), Path("gone.yaml"),
                                          "--memory",        "16GiB",          "--json"};
  const Said out = Run(words);
  EXPECT_EQ(out.exit_code, 2);
  const json plans = json::parse(out.out);
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_EQ(plans[0]["domain"], "law");
  EXPECT_THAT(out.err,
              HasSubstr("mozgachctl: " + Path("lost.yaml") + ": base Qwen/Qwen2.5-7B: no"));
  EXPECT_THAT(out.err, HasSubstr("mozgachctl: " + Path("gone.yaml") + ": base Qwen/Qwen2.5-7B"));
  EXPECT_THAT(Run({"--help"}).out, HasSubstr("~/.cache/huggingface/hub"));
}

TEST_F(Plan, ADomainThatFitsNothingIsToldWhatWould) {
  const Said out = Run({Path("law.yaml"), "--memory", "1GiB"});
  EXPECT_EQ(out.exit_code, 0);
  EXPECT_THAT(out.out, HasSubstr("Nothing fits"));
  EXPECT_THAT(out.out, HasSubstr("a device with"));
}

TEST_F(Plan, ContextsGrowWithTheMachine) {
  const Said out = Run({"--contexts", "Qwen/Qwen2.5-3B", "--bases", Path("bases"), "--json"});
  ASSERT_EQ(out.exit_code, 0) << out.err;
  const json rows = json::parse(out.out);
  EXPECT_EQ(rows.front()["memory_bytes"], int64_t{8} << 30);
  EXPECT_EQ(rows.back()["memory_bytes"], int64_t{192} << 30);
  EXPECT_GT(rows.back()["tokens"]["+ blocks"], rows.front()["tokens"]["+ blocks"]);
}

TEST_F(Plan, WhatIsWrongIsSaidWithWhatToTryAndEndsWith2) {
  const auto expect = [&](const std::vector<std::string>& words, const char* part) {
    const Said out = Run(words);
    EXPECT_EQ(out.exit_code, 2) << part;
    EXPECT_THAT(out.err, HasSubstr(part));
    EXPECT_EQ(out.out, "");
  };
  expect({Path("law.yaml"), "--memory", "16X"}, "write it like 16GiB");
  expect({Path("law.yaml"), "--device", "RTX 5060 Tie"}, "RTX 5060 Ti");
  expect({Path("law.yaml"), "--bases", Path("data")}, "config.json");
  expect({Path("none.yaml")}, "none.yaml");
  expect({}, "name domain files");
  expect({"--contexts", "No/Such", "--bases", Path("bases")}, "No/Such");
  Write("bases/Qwen/Qwen2.5-3B/config.json", "{");
  expect({Path("law.yaml")}, "config.json");
  Write("bases/Qwen/Qwen2.5-3B/config.json",
        R"({"model_type": "qwen2", "quantization_config": {"quant_method": "awq"}})");
  expect({Path("law.yaml")}, "quantised with AWQ");
  Write("bases/Qwen/Qwen2.5-3B/config.json", kConfig);
  Write("bases/Qwen/Qwen2.5-3B/model-q4.gguf", "");
  expect({Path("law.yaml")}, "GGUF");
}

}  // namespace
}  // namespace mozgach
