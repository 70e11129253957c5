// The worker with a real child and a real connection: jobs, deaths, cancels, ends.
#include <signal.h>

#include "tests/worker/worker_fixture.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;
using WorkerTest = WorkerFixture;

TEST_F(WorkerTest, JobsRunOneAfterTheOtherOnOneTrainerWithTheBaseLoadedOnce) {
  const int64_t first = scheduler_.Submit("one", {{"fake_steps", "30"}, {"fake_step_ms", "2"}});
  const int64_t second = scheduler_.Submit("two", {{"fake_steps", "5"}});
  const int64_t third = scheduler_.Submit("three", {});
  StartWorker();
  const pid_t pid = WaitForTrainer();
  for (int64_t job : {first, second, third}) {
    EXPECT_TRUE(scheduler_.WaitForState(job, "succeeded")) << job;
    EXPECT_EQ(scheduler_.Job(job).attempt, 1);
  }
  EXPECT_TRUE(scheduler_.WaitForWorker([](const auto& request) {
    return request.attempts_size() == 0 && request.free_slots() == 1;
  }));
  EXPECT_TRUE(
      scheduler_.WaitForWorker([](const auto& request) { return request.base_loads() == 1; }));
  EXPECT_EQ(trainer_pid_, pid);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "data/attempts/1-1"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "data/checkpoints/1"));
}

TEST_F(WorkerTest, EachDeviceOfTheHostHasATrainerOfItsOwn) {
  ::setenv("FAKE_DEVICES", "gpu:0,gpu:1", 1);
  const int64_t first = scheduler_.Submit("one", {{"fake_steps", "1000"}, {"fake_step_ms", "10"}});
  const int64_t second = scheduler_.Submit("two", {{"fake_steps", "1000"}, {"fake_step_ms", "10"}});
  StartWorker();
  ::unsetenv("FAKE_DEVICES");
  EXPECT_TRUE(WaitForStep(first, 3));
  EXPECT_TRUE(WaitForStep(second, 3));
  EXPECT_EQ(scheduler_.Job(first).state, "running");
  EXPECT_TRUE(scheduler_.WaitForWorker([](const auto& request) {
    return request.devices_size() == 2 && request.devices(0).name() == "gpu:0" &&
           request.devices(1).name() == "gpu:1" && request.base_loads() == 2;
  }));
  EXPECT_NE(scheduler_.Job(first).last.device(), scheduler_.Job(second).last.device());
}

TEST_F(WorkerTest, ResultNamesEveryFileOfTheAdapterAndItsNumbers) {
  const int64_t job = scheduler_.Submit("one", {});
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
  const v1::Result result = scheduler_.Job(job).result;
  std::vector<std::string> names;
  for (const auto& file : result.files()) {
    names.push_back(file.path());
    EXPECT_EQ(scheduler_.Blob(file.sha256()).size(), file.size()) << file.path();
  }
  EXPECT_THAT(names, ::testing::ElementsAre("README.md", "adapter_config.json",
                                            "adapter_model.safetensors", "metrics.json"));
  EXPECT_THAT(result.metrics_json(), HasSubstr("exact_match"));
  EXPECT_EQ(result.train_rows(), 2);
}

TEST_F(WorkerTest, LogTellsTheTrainingInWords) {
  const int64_t job = scheduler_.Submit("one", {{"fake_fail", "garbage"}, {"fake_fail_at", "3"}});
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded")) << "garbage on stdout is passed over";
  for (const char* text : {"attempt 1 of job 1 (one, base mozgach/tiny)", "loaded the base",
                           "step 20/20", "checkpoint at step 5", "uploaded 4 files", "published"}) {
    EXPECT_TRUE(WaitForLog(job, text)) << text;
  }
}

TEST_F(WorkerTest, SchedulerThatIsGoneForAWhileLosesNothing) {
  const int64_t job = scheduler_.Submit("one", {{"fake_steps", "100"}, {"fake_step_ms", "20"}});
  StartWorker();
  ASSERT_TRUE(WaitForStep(job, 5));
  scheduler_.TakeDown();
  std::this_thread::sleep_for(
      std::chrono::milliseconds(3'500));  // longer than the lease and the job
  scheduler_.BringUp();
  ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
  EXPECT_EQ(scheduler_.Job(job).attempt, 1);
  EXPECT_TRUE(WaitForLog(job, "step 100/100"));
}

TEST_F(WorkerTest, TrainerKilledWithSignal9IsReplacedAndTheNextAttemptGoesOnFromTheCheckpoint) {
  const int64_t job = scheduler_.Submit("one", {{"fake_steps", "60"}, {"fake_step_ms", "20"}});
  StartWorker();
  const pid_t pid = WaitForTrainer();
  ASSERT_TRUE(WaitForStep(job, 12));
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
  const FakeJob done = scheduler_.Job(job);
  EXPECT_EQ(done.attempt, 2);
  EXPECT_THAT(done.failures.at(0).message(), HasSubstr("signal 9"));
  EXPECT_EQ(done.failures.at(0).class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_GE(done.last.progress().resumed_from_step(), 10);
  EXPECT_TRUE(scheduler_.WaitForWorker([](const auto& request) {
    return request.trainer_restarts() == 1 && request.base_loads() == 2;
  }));
  EXPECT_NE(trainer_pid_, pid);
}

TEST_F(WorkerTest, CrashInMidJobCarriesTheTrainersLastWords) {
  const int64_t job = scheduler_.Submit(
      "one", {{"fake_fail", "exit"}, {"fake_fail_at", "7"}, {"fake_fail_once", "yes"}});
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
  EXPECT_THAT(scheduler_.Job(job).failures.at(0).message(),
              HasSubstr("exited with code 3; its last words: fake_trainer: told to exit"));
}

TEST_F(WorkerTest, CancelReachesAJobInMidTrainingAndTheTrainerLivesOn) {
  const int64_t job = scheduler_.Submit("one", {{"fake_steps", "100000"}, {"fake_step_ms", "10"}});
  StartWorker();
  const pid_t pid = WaitForTrainer();
  ASSERT_TRUE(WaitForStep(job, 3));
  scheduler_.Cancel(job);
  ASSERT_TRUE(scheduler_.WaitForState(job, "cancelled"));
  const int64_t next = scheduler_.Submit("two", {});
  EXPECT_TRUE(scheduler_.WaitForState(next, "succeeded"));
  EXPECT_EQ(trainer_pid_, pid);
}

TEST_F(WorkerTest, FailedJobSaysWhyAndTheNextOneRuns) {
  const int64_t bad = scheduler_.Submit("bad", {{"fake_fail", "data"}});
  const int64_t lost = scheduler_.Submit("lost", {}, "Qwen/Qwen2.5-3B");
  const int64_t good = scheduler_.Submit("good", {});
  StartWorker();
  EXPECT_TRUE(scheduler_.WaitForState(good, "succeeded"));
  EXPECT_TRUE(scheduler_.WaitForState(bad, "failed"));
  EXPECT_TRUE(scheduler_.WaitForState(lost, "failed"));
  EXPECT_EQ(scheduler_.Job(bad).failures.at(0).class_(), v1::Failure::DATA);
  EXPECT_THAT(scheduler_.Job(lost).failures.at(0).message(), HasSubstr("Qwen/Qwen2.5-3B"));
}

TEST_F(WorkerTest, BaseThatArrivesLaterIsFound) {
  folder_.Write("bases/empty/x", "");
  StartWorker();
  WaitForTrainer();
  folder_.WriteBase("bases/org/new");
  const int64_t job = scheduler_.Submit("one", {}, "org/new");  // its failure makes the worker look
  EXPECT_TRUE(scheduler_.WaitForState(job, "succeeded"));
}

TEST_F(WorkerTest, WorkerThatIsToldToEndReportsStoppedAndItsSuccessorGoesOnFromTheCheckpoint) {
  const int64_t job = scheduler_.Submit("one", {{"fake_steps", "100"}, {"fake_step_ms", "20"}});
  StartWorker();
  ASSERT_TRUE(WaitForStep(job, 3));
  StopWorker();
  EXPECT_EQ(scheduler_.Job(job).state, "queued");
  EXPECT_EQ(scheduler_.Job(job).phases.back(), v1::AttemptReport::STOPPED);
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
  EXPECT_EQ(scheduler_.Job(job).attempt, 2);
  EXPECT_GE(scheduler_.Job(job).last.progress().resumed_from_step(), 3);
}

TEST_F(WorkerTest, SecondWorkerOnTheSameDataIsRefused) {
  StartWorker();
  const auto second = Worker::Open(Options(), SessionOptions{.name = "host"});
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
}

}  // namespace
}  // namespace mozgach
