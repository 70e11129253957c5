// The signals that ask a program to end in order.
#pragma once

#include <vector>

namespace mozgach {

// SIGTERM, SIGINT and SIGHUP; without SIGHUP where it is ignored, as under nohup.
std::vector<int> SignalsThatEnd();

}  // namespace mozgach
