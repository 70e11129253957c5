#include "trainer/memory/counted_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <cstring>
#include <limits>
#include <mutex>
#include <new>

namespace mozgach {
namespace {

thread_local MemoryLine current_line = MemoryLine::kWorking;

// The books.
class Ledger {
 public:
  void Add(MemoryLine line, int64_t bytes) {
    const std::lock_guard lock(mutex_);
    lines_[static_cast<size_t>(line)] += bytes;
    counted_.now += bytes;
    if (counted_.now > counted_.peak) Mark();
  }
  CountedMemory Read() {
    const std::lock_guard lock(mutex_);
    return counted_;
  }
  void ResetPeak() {
    const std::lock_guard lock(mutex_);
    Mark();
  }

 private:
  void Mark() {
    counted_.peak = counted_.now;
    counted_.at_peak = lines_;
  }

  std::mutex mutex_;
  MemoryLines lines_{};
  CountedMemory counted_;
};

Ledger& Books() {
  static Ledger* const kLedger = new Ledger();  // outlives the last static tensor
  return *kLedger;
}

// Lies before each block.  As long as the alignment that kernels count on.
struct alignas(64) BlockHead {
  int64_t bytes;
  MemoryLine line;
};

void Free(void* data) {
  if (data == nullptr) return;
  auto* head = static_cast<BlockHead*>(data) - 1;
  Books().Add(head->line, -head->bytes);
  c10::free_cpu(head);
}

class CountedAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &Free, c10::Device(c10::DeviceType::CPU)};
    if (bytes > std::numeric_limits<size_t>::max() - sizeof(BlockHead)) throw std::bad_alloc();
    auto* head = static_cast<BlockHead*>(c10::alloc_cpu(bytes + sizeof(BlockHead)));
    head->bytes = static_cast<int64_t>(bytes);
    head->line = current_line;
    Books().Add(head->line, head->bytes);
    void* data = head + 1;
    return {data, data, &Free, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Free; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
};

}  // namespace

void StartCounting() {
  static CountedAllocator* const kAllocator = new CountedAllocator();
  c10::SetCPUAllocator(kAllocator, /*priority=*/255);
}

CountedMemory CountTensors() { return Books().Read(); }
void ResetCountedPeak() { Books().ResetPeak(); }

MemoryScope::MemoryScope(MemoryLine line) : outer_(current_line) { current_line = line; }
MemoryScope::~MemoryScope() { current_line = outer_; }

}  // namespace mozgach
