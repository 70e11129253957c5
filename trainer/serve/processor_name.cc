#include "trainer/serve/processor_name.h"

#include <sys/utsname.h>

#include <fstream>

#include "absl/strings/ascii.h"

namespace mozgach {

std::string ProcessorName() {
  std::ifstream facts("/proc/cpuinfo");
  for (std::string line; std::getline(facts, line);) {
    const size_t colon = line.find(':');
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
    }
  }
  utsname system{};
  return uname(&system) == 0 ? system.machine : "unknown";
}

}  // namespace mozgach
