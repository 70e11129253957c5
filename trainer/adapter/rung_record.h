// Which rung of the MemoryLadder worked for a job of a shape on a device, so that the next one of
// that shape begins there.  Files of a byte or two below the trainer's cache; a day old, one no
// longer counts, since what took the memory may be gone.  Nothing here is ever an error.
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
