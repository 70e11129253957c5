#include "trainer/memory/counted_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include <cstring>
#include <limits>
#include <new>

#include "common/mutex.h"
#include "trainer/memory/block_pool.h"

namespace mozgach {
namespace {

thread_local MemoryLine current_line = MemoryLine::kWorking;

// The counters and the limit. Thread-safe.
class MemoryCounter {
 public:
  void Add(MemoryLine line, int64_t bytes) {
    const MutexLock lock(mutex_);
    TORCH_CHECK_WITH(OutOfMemoryError, bytes < 0 || bound_ == 0 || counted_.now + bytes <= bound_,
                     "not enough memory: ", counted_.now, " bytes are in use, ", bytes,
                     " more were requested, and the limit is ", bound_);
    lines_[static_cast<size_t>(line)] += bytes;
    counted_.now += bytes;
    if (counted_.now > counted_.peak) Mark();
  }
  CountedMemory Read() {
    const MutexLock lock(mutex_);
    return counted_;
  }
  void Bound(int64_t bytes) {
    const MutexLock lock(mutex_);
    bound_ = bytes;
  }
  int64_t bound() {
    const MutexLock lock(mutex_);
    return bound_;
  }
  void ResetPeak() {
    const MutexLock lock(mutex_);
    Mark();
  }

 private:
  void Mark() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    counted_.peak = counted_.now;
    counted_.at_peak = lines_;
  }

  Mutex mutex_;
  MemoryLines lines_ ABSL_GUARDED_BY(mutex_){};
  CountedMemory counted_ ABSL_GUARDED_BY(mutex_);
  int64_t bound_ ABSL_GUARDED_BY(mutex_) = 0;
};

MemoryCounter& Counter() {
  static MemoryCounter* const kCounter = new MemoryCounter();  // outlives the last static tensor
  return *kCounter;
}

BlockPool& Pool() {
  static BlockPool* const kPool = new BlockPool();
  return *kPool;
}

// Header before each block. Its size is the alignment that the kernels rely on.
struct alignas(64) BlockHead {
  int64_t bytes;
  MemoryLine line;
};

void Free(void* data) {
  if (data == nullptr) return;
  auto* head = static_cast<BlockHead*>(data) - 1;
  const size_t size = static_cast<size_t>(head->bytes) + sizeof(BlockHead);
  Counter().Add(head->line, -head->bytes);
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
    Counter().Add(line, static_cast<int64_t>(bytes));
    BlockHead* head = nullptr;
    try {
      head = static_cast<BlockHead*>(size < BlockPool::kLeastBytes ? c10::alloc_cpu(size)
                                                                   : Pool().Take(size));
    } catch (...) {
      Counter().Add(line, -static_cast<int64_t>(bytes));
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

CountedMemory CountTensors() { return Counter().Read(); }
void ResetCountedPeak() { Counter().ResetPeak(); }
void BoundTensors(int64_t bytes) { Counter().Bound(bytes); }
int64_t BoundOfTensors() { return Counter().bound(); }
void ReleaseKeptBlocks() { Pool().Release(); }

MemoryScope::MemoryScope(MemoryLine line) : outer_(current_line) { current_line = line; }
MemoryScope::~MemoryScope() { current_line = outer_; }

}  // namespace mozgach
