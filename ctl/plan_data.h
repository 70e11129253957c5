// What a domain's rows come to, where no tokenizer is at hand: estimates from their text.
#pragma once

#include "common/domain_spec.h"
#include "common/status.h"
#include "planner/token_estimate.h"

namespace mozgach {

// Reads the domain's datasets.  Errors as ReadDataset().
absl::StatusOr<DomainRows> EstimateRows(const DomainFile& file);

}  // namespace mozgach
