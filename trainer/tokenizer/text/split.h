// The pre-tokenizers Split and Digits: cutting a text where a pattern matches.
#pragma once

#include <memory>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/pre_tokenizer.h"

namespace mozgach {

// What becomes of the matches.
enum class SplitBehavior {
  kRemoved,             // they are left out
  kIsolated,            // each is a word
  kMergedWithPrevious,  // each ends the word before it, unless that is a match, too
  kMergedWithNext,      // each begins the word after it, unless that is a match, too
  kContiguous,          // matches side by side are one word
};

// Appends the words of `part`, in which `matches` were found, to `words`.  With `invert` the
// stretches between the matches take their role.
void AppendSplit(Span part, const std::vector<Span>& matches, SplitBehavior behavior, bool invert,
                 std::vector<Span>* words);

// {"pattern": …, "behavior": …, "invert": …}
absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeSplit(const JsonObject& json);

// {"individual_digits": …}: numbers (\p{N}) stand alone, or each of their digits does.
absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeDigits(const JsonObject& json);

}  // namespace mozgach
