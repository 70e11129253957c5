#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "tests/trainer/serve/trainer_process.h"
#include "tests/trainer/train/small_base.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
namespace fs = std::filesystem;

class CommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallBase(dir_.path() / "base");
    WriteSmallDataset(dir_.path(), 23);
    WriteDomainFile(dir_.path(), SmallSpec());
  }
  std::string Path(const char* name) const { return (dir_.path() / name).string(); }
  Ran Train(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"train",     "--domain",   Path("small.yaml"),
                                          "--base",    Path("base"), "--output",
                                          Path("out"), "--threads",  "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTrainer(arguments);
  }

  TemporaryDirectory dir_;
};

TEST_F(CommandsTest, TrainWritesAnAdapterAndOneObjectPerStep) {
  const Ran ran = Train({"--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.log;
  std::istringstream lines(ran.out);
  int64_t step = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line);
    EXPECT_EQ(json.at("step"), ++step);
    for (const char* name :
         {"loss", "learning_rate", "tokens", "tokens_per_second", "memory_peak_bytes"}) {
      EXPECT_TRUE(json.at(name).is_number()) << name;
    }
  }
  EXPECT_EQ(step, 20);
  EXPECT_TRUE(fs::exists(dir_.path() / "out/adapter_config.json"));
  EXPECT_TRUE(fs::exists(dir_.path() / "out/checkpoints/step-000020"));
}

TEST_F(CommandsTest, AnOutputThatIsNotEmptyIsRefusedUnlessToldWhatToDo) {
  fs::create_directories(dir_.path() / "out");
  WriteText(dir_.path() / "out/mine.txt", "keep me");
  const Ran refused = Train();
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.log, HasSubstr("--overwrite"));
  EXPECT_EQ(Train({"--overwrite"}).exit_code, 0);
  EXPECT_EQ(ReadText(dir_.path() / "out/mine.txt"), "keep me");
  EXPECT_EQ(Train({"--overwrite", "--resume"}).exit_code, 2);
}

TEST_F(CommandsTest, WhatIsWrongWithTheDomainFileIsSaidWithItsLine) {
  WriteText(dir_.path() / "small.yaml",
            "domain: x\nbase: a/b\ndata:\n  train: train.jsonl\n  lerning_rate: 1\n");
  const Ran ran = Train();
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.log, HasSubstr("small.yaml:5"));
}

TEST_F(CommandsTest, EvaluateScoresBaseAndAdapter) {
  ASSERT_EQ(Train().exit_code, 0);
  const Ran ran = RunTrainer({"evaluate", "--domain", Path("small.yaml"), "--base", Path("base"),
                              "--adapter", Path("out"), "--threads", "1"});
  ASSERT_EQ(ran.exit_code, 0) << ran.log;
  const Json metrics = Json::parse(ran.out);
  const Json trained = Json::parse(ReadText(dir_.path() / "out/metrics.json"));
  EXPECT_EQ(metrics, trained);
}

TEST_F(CommandsTest, ScoreGivesTheNllOfEachPredictedTokenAndTheLogits) {
  const Ran ran = RunTrainer({"score", "--base", Path("base"), "--tokens", "72,101,108,108,111",
                              "--logits", Path("logits.safetensors")});
  ASSERT_EQ(ran.exit_code, 0) << ran.log;
  const Json scores = Json::parse(ran.out);
  ASSERT_EQ(scores.at("nll").size(), 4u);
  const auto file = SafetensorsFile::Open(dir_.path() / "logits.safetensors");
  ASSERT_TRUE(file.ok());
  const at::Tensor logits = (*file)->Tensor((*file)->tensors().at("logits"));
  ASSERT_EQ(logits.sizes(), (std::vector<int64_t>{5, 264}));
  const at::Tensor log_probabilities = logits.log_softmax(1);
  EXPECT_NEAR(scores.at("nll")[0].get<double>(), -log_probabilities[0][101].item<double>(), 1e-4);
}

TEST_F(CommandsTest, ScoreOfWeightsThatAreNoNumbersFails) {
  const fs::path weights = dir_.path() / "base/model.safetensors";
  std::string bytes = ReadText(weights);
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof(header));
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(8 + header), bytes.end(), '\xff');
  WriteText(weights, bytes);
  const Ran ran = RunTrainer({"score", "--base", Path("base"), "--tokens", "72,101"});
  EXPECT_EQ(ran.exit_code, 2) << ran.out;  // the file is wrong
  EXPECT_THAT(ran.log, HasSubstr("holds NaN or infinite numbers"));
  EXPECT_EQ(ran.out, "");
}

TEST_F(CommandsTest, DeepJsonIsRefusedInEveryFile) {
  const std::string deep = "{\"x\": " + std::string(400'000, '[') + std::string(400'000, ']') + "}";
  for (const char* name : {"base/tokenizer_config.json", "base/generation_config.json"}) {
    const fs::path file = dir_.path() / name;
    const std::string whole = fs::exists(file) ? ReadText(file) : "{}";
    WriteText(file, deep);
    const Ran ran = RunTrainer({"tokenize", "--base", Path("base")}, "\"a\"");
    EXPECT_EQ(ran.exit_code, 2) << name;
    EXPECT_THAT(ran.log, HasSubstr("nested more than")) << name;
    WriteText(file, whole);
  }
  fs::create_directories(dir_.path() / "adapter");
  WriteText(dir_.path() / "adapter/adapter_config.json", deep);
  EXPECT_THAT(RunTrainer({"score", "--base", Path("base"), "--adapter", Path("adapter"), "--tokens",
                          "72,101"})
                  .log,
              HasSubstr("nested more than"));
  std::string weights(8, '\0');
  const uint64_t length = deep.size();
  std::memcpy(weights.data(), &length, sizeof(length));
  WriteText(dir_.path() / "base/model.safetensors", weights + deep);
  EXPECT_THAT(RunTrainer({"score", "--base", Path("base"), "--tokens", "72,101"}).log,
              HasSubstr("nested more than"));
  fs::rename(dir_.path() / "base/model.safetensors",
             dir_.path() / "base/model.safetensors.index.json");
  WriteText(dir_.path() / "base/model.safetensors.index.json", deep);
  EXPECT_EQ(RunTrainer({"score", "--base", Path("base"), "--tokens", "72,101"}).exit_code, 2);
}

TEST_F(CommandsTest, TokensThatAreNotOfTheBaseAreRefused) {
  for (const char* tokens : {"1,2,264", "1,-2", "a,b"}) {
    const Ran ran = RunTrainer({"score", "--base", Path("base"), "--tokens", tokens});
    EXPECT_EQ(ran.exit_code, 2) << tokens << ran.log;
  }
}

TEST_F(CommandsTest, GenerateContinuesAPromptAndAConversation) {
  const Ran plain = RunTrainer(
      {"generate", "--base", Path("base"), "--prompt", "hello", "--max-new-tokens", "4"});
  ASSERT_EQ(plain.exit_code, 0) << plain.log;
  EXPECT_FALSE(plain.out.empty());
  WriteText(dir_.path() / "m.json", R"([{"role": "user", "content": "shout abc"}])");
  EXPECT_EQ(RunTrainer({"generate", "--base", Path("base"), "--messages", Path("m.json"),
                        "--max-new-tokens", "4"})
                .exit_code,
            0);
  const Ran piped =
      RunTrainer({"generate", "--base", Path("base"), "--messages", "-", "--max-new-tokens", "4"},
                 ReadText(dir_.path() / "m.json"));
  EXPECT_EQ(piped.exit_code, 0) << piped.log;
  WriteText(dir_.path() / "m.json", R"({"role": "user"})");
  EXPECT_EQ(
      RunTrainer({"generate", "--base", Path("base"), "--messages", Path("m.json")}).exit_code, 2);
  EXPECT_EQ(RunTrainer({"generate", "--base", Path("base")}).exit_code, 2);
}

TEST_F(CommandsTest, TokenizeAndRenderNeedOnlyTheTokenizer) {
  fs::remove(dir_.path() / "base/model.safetensors");
  fs::remove(dir_.path() / "base/config.json");
  const Ran ids = RunTrainer({"tokenize", "--base", Path("base")}, "\"Hi<|im_end|>\"");
  EXPECT_EQ(ids.exit_code, 0) << ids.log;
  EXPECT_EQ(Json::parse(ids.out), Json({72, 105, 258}));
  const Ran text = RunTrainer({"render", "--base", Path("base")},
                              R"({"messages": [{"role": "user", "content": "Hi"}]})");
  EXPECT_EQ(text.exit_code, 0) << text.log;
  EXPECT_EQ(Json::parse(text.out), "<|im_start|>user\nHi<|im_end|>\n");
}

TEST_F(CommandsTest, QuantizeMakesABaseThatScoresAsTheOneItWasMadeOf) {
  const Ran made = RunTrainer({"quantize", "--base", Path("base"), "--output", Path("four")});
  ASSERT_EQ(made.exit_code, 0) << made.log;
  EXPECT_GT(Json::parse(made.out).at("quantized_tensors"), 0);
  const auto score = [&](const char* base) {
    const Ran ran = RunTrainer({"score", "--base", Path(base), "--quantization", "nf4", "--tokens",
                                "72,101,108,108,111", "--cache", Path("cache")});
    EXPECT_EQ(ran.exit_code, 0) << ran.log;
    return ran.out;
  };
  EXPECT_EQ(score("four"), score("base"));
  EXPECT_EQ(score("base"), score("base"));
  const std::vector<std::string> uncached = {"score", "--base",   Path("base"), "--quantization",
                                             "nf4",   "--tokens", "72,101",     "--cache"};
  auto words = uncached;
  words.push_back("none");
  EXPECT_EQ(RunTrainer(words).exit_code, 0);
  EXPECT_FALSE(fs::exists("none"));
  words.back() = "";
  EXPECT_EQ(RunTrainer(words).exit_code, 2);
  EXPECT_TRUE(fs::exists(dir_.path() / "cache/quantized"));
  EXPECT_TRUE(fs::exists(dir_.path() / "four/tokenizer.json"));
  const Ran again = RunTrainer({"quantize", "--base", Path("base"), "--output", Path("four")});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.log, HasSubstr("is not empty"));
}

TEST_F(CommandsTest, ABaseInHuggingFacesCacheIsReadThroughItsLinks) {
  const fs::path model = dir_.path() / "models--small--base", snapshot = model / "snapshots/abc";
  fs::create_directories(model / "blobs");
  fs::create_directories(snapshot);
  for (const auto& entry : fs::directory_iterator(dir_.path() / "base")) {
    const std::string name = entry.path().filename().string();
    fs::rename(entry.path(), model / "blobs" / ("sha-of-" + name));
    fs::create_symlink("../../blobs/sha-of-" + name, snapshot / name);
  }
  const Ran ran = RunTrainer({"score", "--base", snapshot.string(), "--tokens", "1,2"});
  EXPECT_EQ(ran.exit_code, 0) << ran.log;
}

TEST_F(CommandsTest, ALinkThatLeavesTheBaseIsRefused) {
  fs::rename(dir_.path() / "base/tokenizer.json", dir_.path() / "elsewhere.json");
  fs::create_symlink(dir_.path() / "elsewhere.json", dir_.path() / "base/tokenizer.json");
  const Ran ran = RunTrainer({"score", "--base", Path("base"), "--tokens", "1,2"});
  EXPECT_NE(ran.exit_code, 0);
  EXPECT_THAT(ran.log, HasSubstr("leaves the base's directory"));
}

TEST_F(CommandsTest, AnUnknownCommandOrFlagIsExitCodeTwo) {
  EXPECT_EQ(RunTrainer({"dance"}).exit_code, 2);
  EXPECT_EQ(RunTrainer({}).exit_code, 2);
  EXPECT_EQ(RunTrainer({"train", "--bogus"}).exit_code, 2);
  EXPECT_EQ(RunTrainer({"--help"}).exit_code, 0);
  EXPECT_EQ(
      RunTrainer({"train", "--domain", "/nowhere.yaml", "--base", "/b", "--output", Path("out")})
          .exit_code,
      2);
}

}  // namespace
}  // namespace mozgach
