// Which stored tensors are a base's embedding and its head.
//
// As transformers 5: tied tables that are both stored with different values are not tied, and where
// only one of the two is stored it serves as both.
#pragma once

#include <ATen/core/ScalarType.h>

#include <string>

#include "planner/model_config.h"
#include "trainer/checkpoint/weight_files.h"

namespace mozgach {

struct WordTables {
  std::string embedding;  // names of stored tensors; equal where the tables are tied
  std::string head;
  std::string notice;  // what people should know about the choice; empty: nothing
};

WordTables FindWordTables(const WeightFiles& files, const ModelConfig& config,
                          at::ScalarType compute_type);

// True when embedding and head are both stored, and differ in `type`.  Names are plain ones
// (WeightFiles::Open).
bool HeadDiffers(const WeightFiles& files, at::ScalarType type);

}  // namespace mozgach
