// build/bin/mozgach-worker itself: its signals, its metrics, and what its sudden death leaves
// behind.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "tests/worker/trainer/process_state.h"
#include "tests/worker/worker_fixture.h"
#include "worker/trainer/trainer_process.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// GET of http://127.0.0.1:PORT/PATH; the whole answer.
std::string Fetch(const std::string& url) {
  const size_t colon = url.rfind(':');
  const size_t slash = url.find('/', colon);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(url.substr(colon + 1))));
  const FileDescriptor connection(::socket(AF_INET, SOCK_STREAM, 0));
  if (::connect(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return "";
  const std::string request = "GET " + url.substr(slash) + " HTTP/1.0\r\n\r\n";
  if (::write(connection.get(), request.data(), request.size()) < 0) return "";
  std::string text;
  char bytes[4096];
  for (ssize_t got; (got = ::read(connection.get(), bytes, sizeof(bytes))) > 0;) {
    text.append(bytes, static_cast<size_t>(got));
  }
  return text;
}

class ProgramTest : public WorkerFixture {
 protected:
  // The child machinery of the worker serves to run the worker as well.
  void Run(std::vector<std::string> more = {}) {
    const WorkerOptions options = Options();
    TrainerCommand command{.program = Built("bin/mozgach-worker"), .lock = folder_.path() / "lock"};
    command.arguments = {
        "--scheduler", options.scheduler,         "--data",    options.data.string(),
        "--bases",     options.bases[0].string(), "--trainer", options.trainer.string()};
    command.arguments.insert(command.arguments.end(), more.begin(), more.end());
    auto program = TrainerProcess::Start(
        command, {.said = [](std::string) {},
                  .wrote = [this](std::string line) { Note("log: " + line); },
                  .exited = [this](std::string how) { Note("the program " + how); }});
    ASSERT_TRUE(program.ok()) << program.status();
    program_ = *std::move(program);
  }
  void Note(const std::string& line) {
    const std::lock_guard lock(mutex_);
    notes_ += line + "\n";
    noted_.notify_all();
  }
  // What follows `text` on its line.
  std::string WaitForNote(const std::string& text) {
    std::unique_lock lock(mutex_);
    noted_.wait_for(lock, std::chrono::seconds(30),
                    [&] { return notes_.find(text) != std::string::npos; });
    const size_t at = notes_.find(text);
    if (at == std::string::npos) return "never: " + notes_;
    return notes_.substr(at + text.size(), notes_.find('\n', at) - at - text.size());
  }

  std::mutex mutex_;
  std::condition_variable noted_;
  std::string notes_;
  std::unique_ptr<TrainerProcess> program_;
};

TEST_F(ProgramTest, EndsOrderlyWhenToldTo) {
  const int64_t job = scheduler_.Submit("one", {{"fake_steps", "100000"}, {"fake_step_ms", "10"}});
  Run();
  ASSERT_TRUE(WaitForStep(job, 2));
  ::kill(program_->pid(), SIGTERM);
  EXPECT_THAT(WaitForNote("the program "), HasSubstr("exited with code 0"));
  EXPECT_EQ(scheduler_.Job(job).phases.back(), v1::AttemptReport::STOPPED);
}

TEST_F(ProgramTest, TrainerDoesNotOutliveAWorkerThatIsKilled) {
  const int64_t job = scheduler_.Submit("one", {{"fake_steps", "100000"}, {"fake_step_ms", "10"}});
  Run();
  ASSERT_TRUE(WaitForStep(job, 2));
  std::ifstream lock(folder_.path() / "data/trainers/0.lock");
  pid_t trainer = 0;
  lock >> trainer;
  ASSERT_TRUE(Lives(trainer));
  program_->Kill();
  WaitForNote("the program ");
  program_.reset();
  // The next worker waits for its end, and only then starts its own.
  StartWorker();
  EXPECT_NE(WaitForTrainer(), trainer);
  EXPECT_FALSE(Lives(trainer));
}

TEST_F(ProgramTest, MetricsAreServedOnThePortThatTheLogNames) {
  const int64_t job = scheduler_.Submit("one", {{"fake_steps", "100000"}, {"fake_step_ms", "10"}});
  Run({"--http", "127.0.0.1:0"});
  const std::string url = WaitForNote("metrics on ");
  ASSERT_TRUE(WaitForStep(job, 5));
  const std::string text = Fetch(url);
  for (const char* name :
       {"mozgach_worker_job_step{domain=\"one\"}",
        "mozgach_worker_job_steps{domain=\"one\"} 100000", "mozgach_worker_base_loads_total 1",
        "mozgach_worker_trainer_restarts_total 0",
        "mozgach_worker_last_synchronize_timestamp_seconds", "mozgach_worker_trainer_memory_bytes",
        "mozgach_build_info{"}) {
    EXPECT_THAT(text, HasSubstr(name));
  }
}

TEST_F(ProgramTest, WhatNoSchedulerWillTakeEndsItWithTwo) {
  for (const auto code :
       {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::PERMISSION_DENIED}) {
    notes_.clear();
    scheduler_.Refuse({code, "'gpu 1' is not a name"});
    Run();
    EXPECT_THAT(WaitForNote("the program "), HasSubstr("exited with code 2"));
    EXPECT_THAT(notes_, HasSubstr("refuses this worker: 'gpu 1' is not a name"));
    EXPECT_THAT(notes_, Not(HasSubstr("works for the scheduler")));
    EXPECT_THAT(notes_, Not(HasSubstr("does not answer")));
    program_.reset();
  }
}

TEST_F(ProgramTest, WhoIsNotLetInIsToldSoAndAsksAgain) {
  scheduler_.Refuse({grpc::StatusCode::UNAUTHENTICATED, "it was revoked"});
  Run();
  EXPECT_THAT(WaitForNote("refuses this worker"), HasSubstr("(it was revoked); it is asked again"));
  scheduler_.Refuse(grpc::Status::OK);
  EXPECT_EQ(WaitForNote("works for the scheduler at "), scheduler_.address());
}

TEST_F(ProgramTest, ARefusalAfterAnAnswerEndsNothing) {
  const int64_t job = scheduler_.Submit("one", {{"fake_steps", "100000"}, {"fake_step_ms", "10"}});
  Run();
  ASSERT_TRUE(WaitForStep(job, 2));
  scheduler_.Refuse({grpc::StatusCode::PERMISSION_DENIED, "not now"});
  EXPECT_THAT(WaitForNote("refuses this worker"), HasSubstr("(not now); what runs goes on"));
  const int64_t step = scheduler_.Job(job).last.progress().step();
  scheduler_.Refuse(grpc::Status::OK);
  WaitForNote("the scheduler answers again");
  EXPECT_TRUE(WaitForStep(job, step + 2));
}

TEST_F(ProgramTest, WhoseNameAnotherHasTakenEndsWithTheCodeThatSystemdDoesNotRestart) {
  scheduler_.SayReplaced();
  Run();
  EXPECT_THAT(WaitForNote("the program "), HasSubstr("exited with code 3"));
  EXPECT_THAT(notes_, HasSubstr("another worker called"));
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  std::ifstream unit(std::string(source) + "/deploy/systemd/mozgach-worker.service");
  const std::string text{std::istreambuf_iterator<char>(unit), {}};
  EXPECT_THAT(text, HasSubstr("\nRestartPreventExitStatus=3\n"));
}

TEST_F(ProgramTest, WrongCommandLineIsTwoWithAReason) {
  Run({"--threads", "many"});
  EXPECT_THAT(WaitForNote("the program "), HasSubstr("exited with code 2"));
}

}  // namespace
}  // namespace mozgach
