// Runs the real mozgachctl and catches what it says.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mozgach {

struct Said {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// A temporary directory, and programs that run with it as their current one.
class ProgramTest {
 public:
  ProgramTest();
  ~ProgramTest();

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path Write(const std::string& name, const std::string& bytes);

  Said RunCtl(const std::vector<std::string>& words);
  // The two halves of RunCtl, for a test that does something in between.  -1: it did not start.
  pid_t StartCtl(const std::vector<std::string>& words);
  // Ctrl-C for what StartCtl started; false, and no signal, for anything that is not one process:
  // to kill(2) -1 means every process of the machine.
  static bool InterruptCtl(pid_t pid);
  Said WaitCtl(pid_t pid);
  // What stderr holds so far.
  std::string Err() const;

 private:
  std::filesystem::path root_;
};

}  // namespace mozgach
