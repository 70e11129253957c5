#include "tests/ctl/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mozgach {
namespace {
namespace fs = std::filesystem;

std::string Slurp(const fs::path& path) {
  std::stringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

std::string CtlPath() {
  const char* build = std::getenv("MOZGACH_BUILD_DIR");
  return build == nullptr ? "mozgachctl" : std::string(build) + "/bin/mozgachctl";
}

}  // namespace

ProgramTest::ProgramTest() {
  std::string pattern = (fs::temp_directory_path() / "mozgach_ctl_XXXXXX").string();
  root_ = ::mkdtemp(pattern.data());
}

ProgramTest::~ProgramTest() { fs::remove_all(root_); }

fs::path ProgramTest::Write(const std::string& name, const std::string& bytes) {
  std::ofstream(root_ / name, std::ios::binary) << bytes;
  return root_ / name;
}

pid_t ProgramTest::StartCtl(const std::vector<std::string>& words) {
  std::vector<std::string> line = {CtlPath()};
  line.insert(line.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : line) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, root_.c_str());
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, 1, (root_ / ".out").c_str(), flags, 0644);
  posix_spawn_file_actions_addopen(&actions, 2, (root_ / ".err").c_str(), flags, 0644);
  pid_t pid = -1;
  if (::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
    pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

bool ProgramTest::InterruptCtl(pid_t pid) { return pid > 1 && ::kill(pid, SIGINT) == 0; }

Said ProgramTest::WaitCtl(pid_t pid) {
  int status = 0;
  if (pid <= 0 || ::waitpid(pid, &status, 0) != pid) return {};
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), Slurp(root_ / ".out"),
          Err()};
}

std::string ProgramTest::Err() const { return Slurp(root_ / ".err"); }

Said ProgramTest::RunCtl(const std::vector<std::string>& words) { return WaitCtl(StartCtl(words)); }

}  // namespace mozgach
