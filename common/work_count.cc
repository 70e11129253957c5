#include "common/work_count.h"

#include <atomic>

namespace mozgach {
namespace {

std::atomic<uint64_t> work_count{0};
thread_local bool counts = false;

}  // namespace

void CountWorkOfThisThread() { counts = true; }

void NoteWork() {
  if (counts) work_count.fetch_add(1, std::memory_order_relaxed);
}

uint64_t WorkCount() { return work_count.load(std::memory_order_relaxed); }

}  // namespace mozgach
