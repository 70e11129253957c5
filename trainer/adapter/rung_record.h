// Records which rung of the MemoryLadder worked for a shape of job on a device, so that the next
// job of that shape begins there. Files of a byte or two below the trainer's cache. A file that is
// a day old is ignored: the memory may be free again. No operation here fails.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/domain/domain_spec.h"
#include "trainer/train/base.h"

namespace mozgach {

class RungRecord {
 public:
  // An empty `cache_dir` keeps nothing.
  RungRecord(const std::filesystem::path& cache_dir, const DomainSpec& spec, const Base& base);

  int64_t Find() const;  // 0: none
  // One that is kept already does not become younger.
  void Keep(int64_t rung) const;

 private:
  std::filesystem::path file_;
};

}  // namespace mozgach
