// The BlockPool gives large blocks of memory on the CPU and keeps those that come back for the next
// that ask, as long as that takes no more memory than there was in use at the highest moment: the
// process never holds more than its tensors needed at once, and a step that repeats itself maps
// nothing anew.  Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

namespace mozgach {

class BlockPool {
 public:
  // Blocks below this are malloc's.
  static constexpr size_t kLeastBytes = size_t{256} << 10;

  // Page-aligned; contents undefined.  Throws std::bad_alloc where the system gives no more.
  void* Take(size_t bytes);
  // `block` as Take(bytes) gave it.
  void Give(void* block, size_t bytes);

  // Gives back what is kept; from here on the highest moment is what is in use now.
  void Release();

 private:
  void Unmap(std::multimap<size_t, void*>::iterator block);
  void KeepWithin(size_t bytes);

  std::mutex mutex_;
  std::multimap<size_t, void*> kept_;  // by size
  size_t kept_bytes_ = 0;
  size_t used_bytes_ = 0;
  size_t most_used_bytes_ = 0;
};

}  // namespace mozgach
