#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/domain/domain_spec.h"
#include "tests/sanitizers/sanitized.h"
#include "tests/trainer/serve/trainer_process.h"
#include "tests/trainer/train/small_base.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
namespace fs = std::filesystem;

class ServeTranscriptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallBase(dir_.path() / "base");
    WriteSmallDataset(dir_.path(), 23);
    trainer_ = std::make_unique<TrainerProcess>(std::vector<std::string>{"serve", "--threads", "1"},
                                                dir_.path() / "log");
    ready_ = trainer_->WaitForEvent("ready");
  }

  Json Request(int64_t job, const DomainSpec& spec) const {
    const fs::path work = dir_.path() / ("job" + std::to_string(job));
    return {{"op", "train"},
            {"job", job},
            {"attempt", 1},
            {"spec", ToJson(spec)},
            {"base_dir", (dir_.path() / "base").string()},
            {"data",
             {{"train", {(dir_.path() / "train.jsonl").string()}},
              {"validation", (dir_.path() / "validation.jsonl").string()},
              {"test", (dir_.path() / "test.jsonl").string()}}},
            {"output_dir", (work / "output").string()},
            {"checkpoint_dir", (work / "checkpoints").string()},
            {"cache_dir", (dir_.path() / "cache").string()},
            {"pinned", Json::object()}};
  }
  Json EventOf(int64_t job, const std::string& event) {
    return trainer_->WaitFor([&](const Json& json) {
      return json.at("event") == event && json.value("job", int64_t{0}) == job;
    });
  }
  std::string Weights(int64_t job) const {
    return ReadText(dir_.path() / ("job" + std::to_string(job)) / "output" /
                    "adapter_model.safetensors");
  }

  TemporaryDirectory dir_;
  DomainSpec spec_ = SmallSpec();
  std::unique_ptr<TrainerProcess> trainer_;
  Json ready_;
};

TEST_F(ServeTranscriptTest, TwoJobsShareOneBase) {
  EXPECT_EQ(ready_.at("device").at("name"), "cpu");
  EXPECT_GT(ready_.at("memory_bytes"), 0);
  trainer_->Send(Request(1, spec_));
  trainer_->Send(Request(2, spec_));
  const Json loaded = trainer_->WaitForEvent("base_loaded");
  EXPECT_EQ(loaded.at("base"), "mozgach/small");
  EXPECT_EQ(loaded.at("base_loads"), 1);
  const Json started = EventOf(1, "started");
  EXPECT_EQ(started.at("step"), 0);
  EXPECT_EQ(started.at("steps"), 20);
  EXPECT_EQ(started.at("train_rows"), 23);
  EXPECT_GT(started.at("memory_planned_bytes"), 100 << 20);
  EXPECT_EQ(started.at("pinned"), (Json{{"compute_dtype", "float32"}, {"threads", 1}}));
  const Json first = EventOf(1, "done"), second = EventOf(2, "done");
  EXPECT_EQ(second.at("base_loads"), 1);
  EXPECT_EQ(first.at("metrics"), second.at("metrics"));
  EXPECT_EQ(first.at("base_digest"), loaded.at("base_digest"));
  EXPECT_EQ(Weights(1), Weights(2));
  EXPECT_FALSE(Weights(1).empty());
  for (const char* name : {"exact_match", "eval_loss", "perplexity"}) {
    EXPECT_TRUE(first.at("metrics").at("adapter").contains(name)) << name;
  }
  int steps = 0;
  for (const Json& event : trainer_->events) steps += event.at("event") == "step";
  EXPECT_EQ(steps, 40);
}

TEST_F(ServeTranscriptTest, TheDataOfJobsThatWaitIsMadeReadyAndThrownAwayWithThem) {
  DomainSpec endless = spec_;
  endless.training.max_steps = 100000;
  DomainSpec shorter = spec_;
  shorter.data.max_samples = 7;
  trainer_->Send(Request(1, endless));
  ASSERT_FALSE(EventOf(1, "step").is_null());
  trainer_->Send(Request(2, shorter));
  EXPECT_EQ(EventOf(2, "prepared").at("rows"), 7);
  trainer_->Send(Request(3, spec_));
  trainer_->Send(Json{{"op", "cancel"}, {"job", 2}, {"attempt", 1}});
  const Json prepared = EventOf(3, "prepared");  // it comes next now
  EXPECT_EQ(prepared.at("rows"), 23);
  EXPECT_GT(prepared.at("tokens"), 100);
  // The file is gone: only what was made ready can be the data.
  fs::remove(dir_.path() / "train.jsonl");
  trainer_->Send(Request(4, spec_));
  trainer_->Send(Json{{"op", "cancel"}, {"job", 1}, {"attempt", 1}});
  EXPECT_EQ(EventOf(3, "started").at("train_rows"), 23);
  EXPECT_FALSE(EventOf(3, "done").is_null());
  EXPECT_EQ(EventOf(4, "failed").at("class"), "data");
}

TEST_F(ServeTranscriptTest, BadLinesAreAnsweredAndTheNextOneIsHeard) {
  trainer_->Send(std::string("{\"op\": \"train\", "));
  EXPECT_THAT(trainer_->WaitForEvent("error").at("message").get<std::string>(),
              HasSubstr("no JSON"));
  trainer_->Send(Json{{"op", "sing"}});
  EXPECT_THAT(trainer_->WaitForEvent("error").at("message").get<std::string>(),
              HasSubstr("'sing'"));
  trainer_->Send(std::string("\xff\xfe garbage \x01"));
  EXPECT_FALSE(trainer_->WaitForEvent("error").is_null());
  trainer_->Send(Json{{"op", "exit"}});
  EXPECT_EQ(trainer_->Wait(), 0);
}

TEST_F(ServeTranscriptTest, AJobIsCancelledInTheMiddleAndTheNextOneRuns) {
  DomainSpec endless = spec_;
  endless.training.max_steps = 100000;
  trainer_->Send(Request(1, endless));
  trainer_->Send(Request(2, endless));
  trainer_->Send(Request(3, spec_));
  ASSERT_FALSE(EventOf(1, "step").is_null());
  trainer_->Send(Json{{"op", "cancel"}, {"job", 2}, {"attempt", 1}});  // it waits
  EXPECT_FALSE(EventOf(2, "cancelled").is_null());
  trainer_->Send(Json{{"op", "cancel"}, {"job", 1}, {"attempt", 1}});
  EXPECT_GT(EventOf(1, "cancelled").at("memory_bytes"), 0);
  EXPECT_FALSE(EventOf(3, "done").is_null());
  EXPECT_FALSE(fs::exists(dir_.path() / "job1" / "output"));
}

TEST_F(ServeTranscriptTest, ABrokenBaseFailsItsJobAndNoOther) {
  const fs::path broken = dir_.path() / "broken";
  WriteSmallBase(broken, 2);
  fs::resize_file(broken / "model.safetensors", 5000);
  Json request = Request(1, spec_);
  request["base_dir"] = broken.string();
  trainer_->Send(request);
  const Json failed = EventOf(1, "failed");
  EXPECT_EQ(failed.at("class"), "data");
  EXPECT_THAT(failed.at("message").get<std::string>(), HasSubstr("model.safetensors"));
  trainer_->Send(Json{{"op", "load"}, {"base", "a/b"}, {"base_dir", "/nowhere"}});
  EXPECT_EQ(trainer_->WaitForEvent("failed").at("base"), "a/b");
  trainer_->Send(Request(2, spec_));
  EXPECT_FALSE(EventOf(2, "done").is_null());
}

TEST_F(ServeTranscriptTest, ABaseWhoseFilesChangedIsLoadedAgain) {
  trainer_->Send(Request(1, spec_));
  const Json first = EventOf(1, "done");
  EXPECT_EQ(first.at("base_loads"), 1);
  WriteSmallBase(dir_.path() / "base", 2);
  trainer_->Send(Request(2, spec_));
  const Json again = trainer_->WaitFor([](const Json& json) {
    return json.at("event") == "base_loaded" && json.at("base_loads") == 2;
  });
  EXPECT_THAT(again.at("reason").get<std::string>(), HasSubstr("changed since"));
  const Json second = EventOf(2, "done");
  EXPECT_NE(second.at("base_digest"), first.at("base_digest"));
  EXPECT_NE(second.at("metrics").at("base"), first.at("metrics").at("base"));
  // Other weights are not all that counts: a template makes other tokens of the same rows.
  const fs::path roles = dir_.path() / "base" / "tokenizer_config.json";
  Json config = Json::parse(ReadText(roles));
  config["chat_template"] =
      "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}";
  WriteText(roles, config.dump());
  trainer_->Send(Request(3, spec_));
  const Json third = EventOf(3, "done");
  EXPECT_EQ(third.at("base_loads"), 3);
  EXPECT_EQ(third.at("base_digest"), second.at("base_digest"));
  trainer_->Send(Request(4, spec_));
  EXPECT_EQ(EventOf(4, "done").at("base_loads"), 3);
}

TEST_F(ServeTranscriptTest, ABaseThatIsHalfCopiedFailsAsInfrastructureOnce) {
  trainer_->Send(Request(1, spec_));
  ASSERT_FALSE(EventOf(1, "done").is_null());
  fs::copy(dir_.path() / "base" / "model.safetensors", dir_.path() / "half");
  fs::resize_file(dir_.path() / "half", 5000);
  fs::rename(dir_.path() / "half", dir_.path() / "base" / "model.safetensors");
  trainer_->Send(Request(2, spec_));
  const Json failed = EventOf(2, "failed");
  EXPECT_EQ(failed.at("class"), "infrastructure");
  EXPECT_THAT(failed.at("message").get<std::string>(), HasSubstr("still being copied"));
  trainer_->Send(Request(3, spec_));
  EXPECT_EQ(EventOf(3, "failed").at("class"), "data");
}

TEST_F(ServeTranscriptTest, ASpecThatIsWrongIsTheUsersFailure) {
  Json request = Request(1, spec_);
  request["spec"]["lora"]["r"] = -4;
  trainer_->Send(request);
  const Json failed = EventOf(1, "failed");
  EXPECT_EQ(failed.at("class"), "user");
  EXPECT_THAT(failed.at("message").get<std::string>(), HasSubstr("lora.r"));
  DomainSpec spec = spec_;
  spec.lora.target_modules = {"no_such_proj"};
  trainer_->Send(Request(2, spec));
  EXPECT_EQ(EventOf(2, "failed").at("class"), "user");
}

// The process may hold `more` bytes beyond what it has; 0 lifts the limit.
void LimitMemory(pid_t pid, uint64_t more) {
  rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  if (more > 0) {
    const std::string status = ReadText("/proc/" + std::to_string(pid) + "/status");
    const uint64_t held = std::stoull(status.substr(status.find("VmData:") + 7)) * 1024;
    limit.rlim_cur = held + more;
  }
  ASSERT_EQ(prlimit(pid, RLIMIT_DATA, &limit, nullptr), 0);
}

TEST_F(ServeTranscriptTest, AJobThatNeedsTooMuchMemoryStepsDownAndIsDone) {
  if (kMemoryIsTheSanitizers)
    GTEST_SKIP() << "the sanitizer has taken its memory before the limit is set";
  trainer_->Send(Request(1, spec_));
  ASSERT_FALSE(EventOf(1, "done").is_null());
  WriteSmallDataset(dir_.path(), 3000);
  DomainSpec large = spec_;
  large.training.per_device_train_batch_size = 500;
  large.training.max_steps = 2;
  large.evaluation.metrics = {"perplexity"};
  LimitMemory(trainer_->pid(), uint64_t{40} << 20);
  trainer_->Send(Request(2, large));
  const Json stepped_down = EventOf(2, "stepped_down");
  ASSERT_FALSE(stepped_down.is_null());
  EXPECT_EQ(stepped_down.at("pinned").at("rung"), stepped_down.at("rung"));
  EXPECT_THAT(stepped_down.at("message").get<std::string>(), HasSubstr("parts"));
  EXPECT_FALSE(EventOf(2, "done").is_null());
  LimitMemory(trainer_->pid(), 0);
  trainer_->Send(Request(3, spec_));
  EXPECT_EQ(EventOf(3, "done").at("base_loads"), 1);
}

TEST_F(ServeTranscriptTest, KilledAndServedAgainTheAdapterIsTheSame) {
  trainer_->Send(Request(1, spec_));
  ASSERT_FALSE(EventOf(1, "done").is_null());
  Json request = Request(2, spec_);
  trainer_->Send(request);
  trainer_->WaitFor([](const Json& json) {
    return json.at("event") == "step" && json.at("job") == 2 && json.at("step") == 13;
  });
  trainer_->Signal(SIGKILL);
  EXPECT_EQ(trainer_->Wait(), 128 + SIGKILL);
  trainer_ = std::make_unique<TrainerProcess>(std::vector<std::string>{"serve", "--threads", "2"},
                                              dir_.path() / "log");
  request["attempt"] = 2;
  trainer_->Send(request);
  const Json started = EventOf(2, "started");
  EXPECT_GE(started.at("step"), 10);
  EXPECT_EQ(started.at("pinned").at("threads"), 1);  // as the checkpoint says
  ASSERT_FALSE(EventOf(2, "done").is_null());
  EXPECT_EQ(Weights(2), Weights(1));
}

TEST_F(ServeTranscriptTest, ClosingTheInputLeavesACheckpointAndEndsTheProcess) {
  DomainSpec endless = spec_;
  endless.training.max_steps = 100000;
  endless.training.save_steps = 100000;
  trainer_->Send(Request(1, endless));
  ASSERT_FALSE(EventOf(1, "step").is_null());
  trainer_->CloseInput();
  EXPECT_FALSE(EventOf(1, "checkpoint").is_null());
  EXPECT_EQ(trainer_->Wait(), 0);
}

TEST_F(ServeTranscriptTest, MemoryAfterManyJobsIsThatAfterTheFirst) {
  if (kMemoryIsTheSanitizers) GTEST_SKIP() << "the sanitizer keeps what is freed";
  std::vector<double> memory;
  for (int64_t job = 1; job <= 6; ++job) {
    trainer_->Send(Request(job, spec_));
    memory.push_back(EventOf(job, "done").at("memory_bytes"));
  }
  EXPECT_LT(memory.back(), 1.02 * memory[1]);
}

}  // namespace
}  // namespace mozgach
