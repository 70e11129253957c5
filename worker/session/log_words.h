// What a trainer says in JSON, in words for the people who read a job's log, and in numbers for
// what is shown of the job.  Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mozgach {

// {"rows": 36, "dropped": 0, "truncated": 1, …}: "36 rows (0 dropped, 1 truncated), 5120 tokens, of
// which 1024 are trained"; "" if it is not such an object.
std::string DataInWords(const std::string& data_json);

// {"base": {…}, "adapter": {"eval_loss": 0.03127}}: "eval_loss 4.912 → 0.03127", the bare base's
// value omitted if absent; "" if it is not such an object.
std::string MetricsInWords(const std::string& metrics_json);

// The adapter's loss on the validation rows, where {"adapter": {"eval_loss": …}} has a number.
std::optional<double> EvalLossIn(const std::string& metrics_json);

// "151.6 MB".
std::string BytesInWords(uint64_t bytes);

}  // namespace mozgach
