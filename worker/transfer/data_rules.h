// DataRules are what a worker keeps on its disk (docs/upkeep.md).  Nothing that goes by them is
// lost for good: it is fetched, computed or trained again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>

namespace mozgach {

struct DataRules {
  int64_t checkpoint_days = 7;                  // without a change
  uint64_t dataset_bytes = uint64_t{32} << 30;  // dataset_cache.h
  uint64_t quantized_bytes = 0;                 // 0: a fifth of the disk, as the trainer says
};

// The last change of `directory` or of what lies directly in it.
std::filesystem::file_time_type LastChange(const std::filesystem::path& directory);

// Removes each folder/<job>/ unchanged for `checkpoint_days`, except those in `busy`.
void DropOldCheckpoints(const DataRules& rules, const std::filesystem::path& folder,
                        const std::set<int64_t>& busy);

// Removes the least recently used files of folder/quantized/ beyond `quantized_bytes`, and all but
// the newest 10,000 files beside it. A process that has mapped one keeps it.
void TrimTrainerCache(const DataRules& rules, const std::filesystem::path& folder);

}  // namespace mozgach
