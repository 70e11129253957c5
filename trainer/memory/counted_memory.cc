#include "trainer/memory/counted_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include <cstring>
#include <limits>
#include <mutex>
#include <new>

#include "trainer/memory/block_pool.h"

namespace mozgach {
namespace {

thread_local MemoryLine current_line = MemoryLine::kWorking;

// The books.
class Ledger {
 public:
  void Add(MemoryLine line, int64_t bytes) {
    const std::lock_guard lock(mutex_);
    TORCH_CHECK_WITH(OutOfMemoryError, bytes < 0 || bound_ == 0 || counted_.now + bytes <= bound_,
                     "not enough memory: ", counted_.now, " bytes are in use, ", bytes,
                     " more were asked for, and ", bound_, " are the bound");
    lines_[static_cast<size_t>(line)] += bytes;
    counted_.now += bytes;
    if (counted_.now > counted_.peak) Mark();
  }
  CountedMemory Read() {
    const std::lock_guard lock(mutex_);
    return counted_;
  }
  void Bound(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    bound_ = bytes;
  }
  int64_t bound() {
    const std::lock_guard lock(mutex_);
    return bound_;
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
  int64_t bound_ = 0;
};

Ledger& Books() {
  static Ledger* const kLedger = new Ledger();  // outlives the last static tensor
  return *kLedger;
}

BlockPool& Pool() {
  static BlockPool* const kPool = new BlockPool();
  return *kPool;
}

// Lies before each block.  As long as the alignment that kernels count on.
struct alignas(64) BlockHead {
  int64_t bytes;
  MemoryLine line;
};

void Free(void* data) {
  if (data == nullptr) return;
  auto* head = static_cast<BlockHead*>(data) - 1;
  const size_t size = static_cast<size_t>(head->bytes) + sizeof(BlockHead);
  Books().Add(head->line, -head->bytes);
  if (size < BlockPool::kLeastBytes) {
    c10::free_cpu(head);
  } else {
    Pool().Give(head, size);
  }
}

class CountedAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &Free, c10::Device(c10::DeviceType::CPU)};
    if (bytes > std::numeric_limits<size_t>::max() - sizeof(BlockHead)) throw std::bad_alloc();
    const size_t size = bytes + sizeof(BlockHead);
    const MemoryLine line = current_line;
    Books().Add(line, static_cast<int64_t>(bytes));
    BlockHead* head = nullptr;
    try {
      head = static_cast<BlockHead*>(size < BlockPool::kLeastBytes ? c10::alloc_cpu(size)
                                                                   : Pool().Take(size));
    } catch (...) {
      Books().Add(line, -static_cast<int64_t>(bytes));
      throw;
    }
    head->bytes = static_cast<int64_t>(bytes);
    head->line = line;
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
void BoundTensors(int64_t bytes) { Books().Bound(bytes); }
int64_t BoundOfTensors() { return Books().bound(); }
void ReleaseKeptBlocks() { Pool().Release(); }

MemoryScope::MemoryScope(MemoryLine line) : outer_(current_line) { current_line = line; }
MemoryScope::~MemoryScope() { current_line = outer_; }

}  // namespace mozgach
