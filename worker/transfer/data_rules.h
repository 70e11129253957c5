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

// Of folder/<job>/ those in which nothing has changed for `checkpoint_days`, but none of `busy`.
void DropOldCheckpoints(const DataRules& rules, const std::filesystem::path& folder,
                        const std::set<int64_t>& busy);

// Of folder/quantized/ the least recently used files beyond `quantized_bytes`; of the files beside
// it all but the newest 10,000.  Who has one of them mapped keeps it.
void TrimTrainerCache(const DataRules& rules, const std::filesystem::path& folder);

}  // namespace mozgach
