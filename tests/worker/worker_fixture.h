// WorkerFixture: a real worker on a thread of its own, with fake_trainer and a FakeScheduler.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "tests/worker/fake_scheduler.h"
#include "tests/worker/temporary_folder.h"
#include "worker/agent/worker.h"

namespace mozgach {

class WorkerFixture : public ::testing::Test {
 protected:
  WorkerFixture() { folder_.WriteBase("bases/mozgach/tiny"); }
  ~WorkerFixture() override { StopWorker(); }

  static std::filesystem::path Built(const std::string& name) {
    const char* build = std::getenv("MOZGACH_BUILD_DIR");
    return std::filesystem::path(build == nullptr ? "." : build) / name;
  }

  WorkerOptions Options() const {
    return {.scheduler = scheduler_.address(),
            .data = folder_.path() / "data",
            .bases = {folder_.path() / "bases"},
            .name = "host",
            .trainer = Built("tests/fake_trainer")};
  }

  void StartWorker() {
    SessionOptions session;
    session.name = "host";
    session.incarnation = std::to_string(++starts_);
    session.version = "test";
    session.calls.back_off_first = Milliseconds(50);
    session.calls.back_off_longest = Milliseconds(200);
    auto worker = Worker::Open(Options(), session);
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    trainer_pid_ = -1;
    thread_ = std::thread([this] {
      while (worker_->RunOnce()) trainer_pid_ = worker_->trainer_pid(0);
    });
  }

  // As SIGTERM does.
  void StopWorker() {
    if (!thread_.joinable()) return;
    worker_->RequestStop();
    thread_.join();
    worker_.reset();
  }

  pid_t WaitForTrainer() {
    scheduler_.WaitForWorker([](const auto& request) { return request.devices_size() > 0; });
    return trainer_pid_;
  }

  bool WaitForStep(int64_t job, int64_t step) {
    return scheduler_.WaitFor(
        job, [&](const FakeJob& each) { return each.last.progress().step() >= step; });
  }

  bool WaitForLog(int64_t job, const std::string& text) {
    return scheduler_.WaitFor(
        job, [&](const FakeJob& each) { return each.log.find(text) != std::string::npos; });
  }

  TemporaryFolder folder_;
  FakeScheduler scheduler_;
  std::unique_ptr<Worker> worker_;
  std::atomic<pid_t> trainer_pid_ = -1;
  std::thread thread_;
  int starts_ = 0;
};

}  // namespace mozgach
