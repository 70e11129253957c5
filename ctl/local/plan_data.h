// What a domain's rows come to, where no tokenizer is at hand: estimates from their text.
#pragma once

#include <cstdint>
#include <vector>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "planner/token_estimate.h"

namespace mozgach {

struct Row;

// Estimates the tokens of the first `limit` rows; the total counts each row up to `max_length`.
RowTokens EstimateRows(const std::vector<Row>& rows, int64_t limit, int64_t max_length);

RowTokens Sum(const RowTokens& a, const RowTokens& b);

// Moves what `data` holds out of train, where validation is a fraction of it.
void HoldOut(const DataSpec& data, DomainRows* rows);

// Reads the domain's datasets.  Errors as ReadDataset().
absl::StatusOr<DomainRows> EstimateRows(const DomainFile& file);

}  // namespace mozgach
