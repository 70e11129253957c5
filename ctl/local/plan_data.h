// Estimates the tokens of a domain's rows from their text, without a tokenizer.
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

// Moves the held-out rows from train to validation if `data.validation` is a fraction.
void HoldOut(const DataSpec& data, DomainRows* rows);

// Reads and estimates the domain's datasets. Returns the errors of ReadDataset().
absl::StatusOr<DomainRows> EstimateRows(const DomainFile& file);

}  // namespace mozgach
