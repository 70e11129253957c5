#include "tests/sim/scratch.h"

#include <stdlib.h>
#include <unistd.h>

#include <string>

namespace mozgach::sim {
namespace fs = std::filesystem;

Outcome LiveInScratch(const Plan& plan, bool print) {
  const fs::path memory = "/dev/shm";
  const bool there = ::access(memory.c_str(), W_OK) == 0;
  std::string name = ((there ? memory : fs::temp_directory_path()) / "mozgach-sim-XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  const Outcome outcome = Live(plan, folder, print);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return outcome;
}

}  // namespace mozgach::sim
