// What a test has to know of the sanitizer it is built with.
#pragma once

namespace mozgach {

// What is freed stays with the process for a while, and bounds of the system do not hold: what
// measures or limits the memory of a process says nothing.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kMemoryIsTheSanitizers = true;
#else
inline constexpr bool kMemoryIsTheSanitizers = false;
#endif

}  // namespace mozgach
