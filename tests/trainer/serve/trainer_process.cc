#include "tests/trainer/serve/trainer_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/trainer/train/small_base.h"

extern char** environ;

namespace mozgach {
namespace {

constexpr int kTimeoutMs = 60000;

std::string Program() {
  const char* build = std::getenv("MOZGACH_BUILD_DIR");
  return std::string(build == nullptr ? "build" : build) + "/bin/mozgach-trainer";
}

}  // namespace

TrainerProcess::TrainerProcess(const std::vector<std::string>& arguments,
                               const std::filesystem::path& log) {
  signal(SIGPIPE, SIG_IGN);
  int to[2], from[2];
  EXPECT_EQ(pipe2(to, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(from, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0644);
  std::string program = Program();
  std::vector<std::string> words = arguments;
  std::vector<char*> argv = {program.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int failed = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
  if (failed != 0) pid_ = -1;
  EXPECT_EQ(failed, 0) << program;
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  in_ = to[1];
  out_ = from[0];
}

TrainerProcess::~TrainerProcess() {
  CloseInput();
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
  close(out_);
}

void TrainerProcess::Send(const std::string& line) {
  const std::string bytes = line + "\n";
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = write(in_, bytes.data() + sent, bytes.size() - sent);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
}

void TrainerProcess::CloseInput() {
  if (in_ >= 0) close(in_);
  in_ = -1;
}

bool TrainerProcess::ReadLine(std::string* line) {
  for (;;) {
    if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
      *line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return true;
    }
    pollfd ready{out_, POLLIN, 0};
    if (poll(&ready, 1, kTimeoutMs) <= 0) return false;
    char bytes[4096];
    const ssize_t count = read(out_, bytes, sizeof(bytes));
    if (count <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(count));
  }
}

nlohmann::json TrainerProcess::WaitFor(const std::function<bool(const nlohmann::json&)>& wanted) {
  for (std::string line; ReadLine(&line);) {
    events.push_back(nlohmann::json::parse(line));
    if (wanted(events.back())) return events.back();
  }
  return nullptr;
}

nlohmann::json TrainerProcess::WaitForEvent(const std::string& event) {
  return WaitFor([&](const nlohmann::json& json) { return json.at("event") == event; });
}

std::string TrainerProcess::ReadRest() {
  std::string all;
  for (std::string line; ReadLine(&line);) all += line + "\n";
  return all + buffer_;
}

void TrainerProcess::Signal(int signal) const {
  ASSERT_GT(pid_, 1) << "the program did not start";
  kill(pid_, signal);
}

int TrainerProcess::Wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Ran RunTrainer(const std::vector<std::string>& arguments, const std::string& input) {
  const TemporaryDirectory dir;
  TrainerProcess process(arguments, dir.path() / "log");
  if (!input.empty()) process.Send(input);
  process.CloseInput();
  Ran ran;
  ran.out = process.ReadRest();
  ran.exit_code = process.Wait();
  ran.log = ReadText(dir.path() / "log");
  return ran;
}

}  // namespace mozgach
