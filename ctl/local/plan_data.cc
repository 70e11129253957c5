#include "ctl/local/plan_data.h"

#include <algorithm>
#include <cmath>

#include "common/dataset/dataset.h"

namespace mozgach {
namespace {

// Estimates of the longest row are rounded up to this, so that similar domains get equal plans.
constexpr int64_t kGrain = 64;

int64_t TokensOf(const Row& row) {
  int64_t bytes = static_cast<int64_t>(row.text.size());
  for (const Message& message : row.messages) bytes += static_cast<int64_t>(message.content.size());
  return EstimateTokens(bytes);
}

// Adds the rows of one file until `tokens` has `limit` rows.
absl::Status Add(const std::filesystem::path& path, const DataSpec& data, int64_t limit,
                 RowTokens* tokens) {
  ASSIGN_OR_RETURN(const RowFormat format, ParseRowFormat(data.format));
  ASSIGN_OR_RETURN(const Dataset dataset, ReadDataset(path, format));
  *tokens = Sum(*tokens, EstimateRows(dataset.rows, limit - tokens->rows, data.max_length));
  return absl::OkStatus();
}

}  // namespace

RowTokens Sum(const RowTokens& a, const RowTokens& b) {
  return {a.rows + b.rows, a.total + b.total, std::max(a.longest, b.longest)};
}

RowTokens EstimateRows(const std::vector<Row>& rows, int64_t limit, int64_t max_length) {
  RowTokens tokens;
  for (const Row& row : rows) {
    if (tokens.rows >= limit) break;
    const int64_t length = TokensOf(row);
    ++tokens.rows;
    tokens.total += std::min(length, max_length);
    tokens.longest = std::max(tokens.longest, (length + kGrain - 1) / kGrain * kGrain);
  }
  return tokens;
}

void HoldOut(const DataSpec& data, DomainRows* rows) {
  const double* fraction = std::get_if<double>(&data.validation);
  if (fraction == nullptr || *fraction <= 0 || rows->train.rows <= 1) return;
  const double share = std::clamp(*fraction, 0.0, 1.0);
  const auto held_out = std::llround(share * static_cast<double>(rows->train.rows));
  rows->validation = {std::max<int64_t>(1, held_out),
                      std::llround(share * static_cast<double>(rows->train.total)),
                      rows->train.longest};
  rows->train.rows -= rows->validation.rows;
  rows->train.total -= rows->validation.total;
}

absl::StatusOr<DomainRows> EstimateRows(const DomainFile& file) {
  const DataSpec& data = file.spec.data;
  DomainRows rows;
  for (const auto& path : file.train) {
    RETURN_IF_ERROR(Add(path, data, data.max_samples.value_or(INT64_MAX), &rows.train));
  }
  if (file.validation) {
    RETURN_IF_ERROR(Add(*file.validation, data, INT64_MAX, &rows.validation));
  } else {
    HoldOut(data, &rows);
  }
  if (file.test) RETURN_IF_ERROR(Add(*file.test, data, INT64_MAX, &rows.test));
  return rows;
}

}  // namespace mozgach
