#include "tests/sim/trace.h"

#include <cstdio>

#include "tests/sim/dice.h"

namespace mozgach::sim {

void Trace::Note(Milliseconds at, std::string_view who, std::string_view what, int64_t first,
                 int64_t second) {
  ++length_;
  hash_ = Mix(hash_, static_cast<uint64_t>(at.count()));
  hash_ = Mix(Mix(hash_, who), what);
  hash_ = Mix(Mix(hash_, static_cast<uint64_t>(first)), static_cast<uint64_t>(second));
  if (!print_) return;
  std::printf("%10.3f  %-10.*s %.*s", static_cast<double>(at.count()) / 1000,
              static_cast<int>(who.size()), who.data(), static_cast<int>(what.size()), what.data());
  if (first != 0 || second != 0) std::printf("  %lld", static_cast<long long>(first));
  if (second != 0) std::printf("-%lld", static_cast<long long>(second));
  std::printf("\n");
}

}  // namespace mozgach::sim
