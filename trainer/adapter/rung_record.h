// Records which rung of the MemoryLadder worked for a shape of job on a device, so that the next
// job of that shape starts at it. Each record is a file of one or two bytes in the trainer's cache.
// Records older than a day are ignored: the memory may be free again. Errors are logged, not
// returned.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/domain/domain_spec.h"
#include "trainer/train/base.h"

namespace mozgach {

class RungRecord {
 public:
  // If `cache_dir` is empty, nothing is recorded.
  RungRecord(const std::filesystem::path& cache_dir, const DomainSpec& spec, const Base& base);

  int64_t Find() const;  // 0 if not recorded
  // Recording the same rung again does not refresh its age.
  void Keep(int64_t rung) const;

 private:
  std::filesystem::path file_;
};

}  // namespace mozgach
