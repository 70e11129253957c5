// What the trainer of this host can compute on: each device gets a trainer of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/clock.h"

namespace mozgach {

// The names that `trainer devices` prints ("cuda:0", "cuda:1"), in order.  Where it prints none, or
// takes longer than `timeout`: none, and the log says why; its own first choice is the device
// then. `lock` is a trainer lock of its own.
std::vector<std::string> AskForDevices(const std::filesystem::path& trainer,
                                       const std::filesystem::path& lock, Milliseconds timeout);

}  // namespace mozgach
