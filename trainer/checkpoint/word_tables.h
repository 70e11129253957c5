// Finds the stored tensors that are a base's embedding and its head.
//
// As in transformers 5: tied tables that are both stored with different values are not tied, and if
// only one of the two is stored, it serves as both.
#pragma once

#include <ATen/core/ScalarType.h>

#include <string>

#include "planner/model_config.h"
#include "trainer/checkpoint/weight_files.h"

namespace mozgach {

struct WordTables {
  std::string embedding;  // names of stored tensors; equal if the tables are tied
  std::string head;
  std::string notice;  // a note for the user about the choice; may be empty
};

WordTables FindWordTables(const WeightFiles& files, const ModelConfig& config,
                          at::ScalarType compute_type);

// True if embedding and head are both stored and differ after conversion to `type`. Uses plain
// names (WeightFiles::Open).
bool HeadDiffers(const WeightFiles& files, at::ScalarType type);

}  // namespace mozgach
