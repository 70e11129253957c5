#include "trainer/memory/block_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <new>

#include "common/mutex.h"

namespace mozgach {
namespace {

constexpr size_t kGrain = size_t{64} << 10;
// Kept even above the highest use: enough for what a small base allocates and frees repeatedly.
constexpr size_t kAlwaysKept = size_t{32} << 20;

constexpr size_t kHugeBytes = size_t{4} << 20;

size_t Rounded(size_t bytes) { return (bytes + kGrain - 1) / kGrain * kGrain; }

void* Map(size_t bytes) {
  void* block = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
  // A block this large is written from end to end, so huge pages reduce the number of page faults.
  // Only a hint: the result is ignored.
  if (bytes >= kHugeBytes) ::madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

}  // namespace

void* BlockPool::Take(size_t bytes) {
  const size_t size = Rounded(bytes);
  const MutexLock lock(mutex_);
  // Sizes repeat from layer to layer. Only a block of exactly the same size is reused, so that the
  // counted bytes are the bytes that are held.
  const auto found = kept_.find(size);
  void* block = nullptr;
  if (found != kept_.end()) {
    block = found->second;
    kept_.erase(found);
    kept_bytes_ -= size;
  } else {
    const size_t most = std::max(most_used_bytes_, used_bytes_ + size);
    KeepWithin(most - std::min(most, used_bytes_ + size));
    block = Map(size);
    if (block == nullptr) {
      KeepWithin(0);
      block = Map(size);
    }
    if (block == nullptr) throw std::bad_alloc();
  }
  used_bytes_ += size;
  most_used_bytes_ = std::max(most_used_bytes_, used_bytes_);
  return block;
}

void BlockPool::Give(void* block, size_t bytes) {
  const size_t size = Rounded(bytes);
  const MutexLock lock(mutex_);
  kept_.emplace(size, block);
  kept_bytes_ += size;
  used_bytes_ -= size;
  KeepWithin(std::max(most_used_bytes_ - used_bytes_, kAlwaysKept));
}

void BlockPool::Release() {
  const MutexLock lock(mutex_);
  most_used_bytes_ = used_bytes_;
  while (!kept_.empty()) Unmap(kept_.begin());
}

void BlockPool::Unmap(std::multimap<size_t, void*>::iterator block) {
  ::munmap(block->second, block->first);
  kept_bytes_ -= block->first;
  kept_.erase(block);
}

// Unmaps the largest blocks first: one of them makes room for many small ones.
void BlockPool::KeepWithin(size_t bytes) {
  while (kept_bytes_ > bytes) Unmap(std::prev(kept_.end()));
}

}  // namespace mozgach
