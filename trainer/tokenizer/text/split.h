// The pre-tokenizers Split and Digits cut a text where a pattern matches.
#pragma once

#include <memory>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/pre_tokenizer.h"

namespace mozgach {

// How matches are treated.
enum class SplitBehavior {
  kRemoved,             // they are removed
  kIsolated,            // each match is a word
  kMergedWithPrevious,  // each is appended to the word before it, unless that is also a match
  kMergedWithNext,      // each is prepended to the word after it, unless that is also a match
  kContiguous,          // adjacent matches are one word
};

// Appends the words of `part` to `words`. `matches` are the matches in `part`. With `invert`, the
// text between the matches takes their role.
void AppendSplit(Span part, const std::vector<Span>& matches, SplitBehavior behavior, bool invert,
                 std::vector<Span>* words);

// Reads {"pattern": …, "behavior": …, "invert": …}.
absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeSplit(const JsonObject& json);

// Reads {"individual_digits": …}: each number (\p{N}), or each of its digits, is a word.
absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeDigits(const JsonObject& json);

}  // namespace mozgach
