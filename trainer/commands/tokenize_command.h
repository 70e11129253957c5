// `mozgach-trainer tokenize` encodes texts with a base's tokenizer, for users and tests.
#pragma once

#include <filesystem>
#include <iosfwd>

#include "common/status.h"

namespace mozgach {

// Reads one JSON string per line of `in` and writes one JSON array of ids per line to `out`. The
// output is flushed when no more input is available. BOS and EOS are not added; special tokens in a
// text are parsed. Needs only `base_dir`/tokenizer.json. INVALID_ARGUMENT names a line that is not
// a JSON string; the lines before it are answered.
absl::Status RunTokenize(const std::filesystem::path& base_dir, std::istream& in,
                         std::ostream& out);

}  // namespace mozgach
