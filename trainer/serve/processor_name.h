// What the processor calls itself: "AMD EPYC 9654 96-Core Processor".
#pragma once

#include <string>

namespace mozgach {

// The architecture's name where the system does not tell.
std::string ProcessorName();

}  // namespace mozgach
