// `mozgach-trainer tokenize`: what a base's tokenizer makes of texts, for people and for tests.
#pragma once

#include <filesystem>
#include <iosfwd>

#include "common/status.h"

namespace mozgach {

// One JSON string per line of `in` → one JSON array of ids per line of `out`, written at the
// latest when no more input is there. No BOS or EOS is added; special tokens in a text are parsed.
// Needs only `base_dir`/tokenizer.json. INVALID_ARGUMENT names the line that is not a JSON string;
// the lines before it are answered.
absl::Status RunTokenize(const std::filesystem::path& base_dir, std::istream& in,
                         std::ostream& out);

}  // namespace mozgach
