// Whether a process lives.
#pragma once

#include <sys/types.h>

#include <fstream>
#include <string>

namespace mozgach {

// One that has ended and waits for its parent to take note of it does not live.
inline bool Lives(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state = "Z";
  stat >> number >> name >> state;
  return state != "Z";
}

}  // namespace mozgach
