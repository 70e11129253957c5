#include "trainer/tokenizer/text/split.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "trainer/tokenizer/text/pattern_field.h"
#include "trainer/tokenizer/text/unicode.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

// Assembles the words of one part from delimiters and the text between them.
class Assembly {
 public:
  Assembly(SplitBehavior behavior, std::vector<Span>* words)
      : behavior_(behavior), words_(words), first_(words->size()) {}

  void Add(Span stretch, bool delimits) {
    if (!started_ || !Joined(delimits)) {
      words_->push_back(stretch);
    } else {
      words_->back().end = stretch.end;
    }
    started_ = true;
    last_delimits_ = delimits;
  }

  void Finish() {
    const auto empty = [](const Span& word) { return word.begin == word.end; };
    words_->erase(std::remove_if(words_->begin() + first_, words_->end(), empty), words_->end());
  }

 private:
  // Returns true if a stretch of this kind belongs to the word before it.
  bool Joined(bool delimits) const {
    switch (behavior_) {
      case SplitBehavior::kRemoved:
      case SplitBehavior::kIsolated:
        return false;
      case SplitBehavior::kMergedWithPrevious:
        return !last_delimits_ && delimits;
      case SplitBehavior::kMergedWithNext:
        return last_delimits_ && !delimits;
      case SplitBehavior::kContiguous:
        return last_delimits_ == delimits;
    }
    return false;
  }

  SplitBehavior behavior_;
  std::vector<Span>* words_;
  std::ptrdiff_t first_;
  bool started_ = false;
  bool last_delimits_ = false;
};

absl::StatusOr<SplitBehavior> ParseBehavior(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::string name, json.String("behavior"));
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  return json.Unsupported("behavior", name);
}

class Split : public PreTokenizer {
 public:
  Split(Pattern pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  absl::Status Apply(Words* words) const override {
    std::vector<Span> cut;
    RETURN_IF_ERROR(pattern_.FindInParts(words->text.text, words->spans,
                                         [&](Span part, const std::vector<Span>& matches) {
                                           AppendSplit(part, matches, behavior_, invert_, &cut);
                                         }));
    words->spans = std::move(cut);
    return absl::OkStatus();
  }

 private:
  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

class Digits : public PreTokenizer {
 public:
  explicit Digits(bool individual)
      : behavior_(individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous) {}

  absl::Status Apply(Words* words) const override {
    std::vector<Span> cut;
    std::vector<Span> digits;
    const std::string_view text = words->text.text;
    for (const Span& part : words->spans) {
      digits.clear();
      for (size_t at = part.begin; at < part.end;) {
        const size_t next = at + Utf8Length(text[at]);
        if (IsNumeric(DecodeUtf8(text, at))) digits.push_back({at, next});
        at = next;
      }
      AppendSplit(part, digits, behavior_, /*invert=*/false, &cut);
    }
    words->spans = std::move(cut);
    return absl::OkStatus();
  }

 private:
  SplitBehavior behavior_;
};

}  // namespace

void AppendSplit(Span part, const std::vector<Span>& matches, SplitBehavior behavior, bool invert,
                 std::vector<Span>* words) {
  Assembly assembly(behavior, words);
  const auto add = [&](Span stretch, bool delimits) {
    if (behavior != SplitBehavior::kRemoved || !delimits) assembly.Add(stretch, delimits);
  };
  size_t at = part.begin;
  for (const Span& match : matches) {
    if (at < match.begin) add({at, match.begin}, invert);
    add(match, !invert);
    at = match.end;
  }
  if (at < part.end) add({at, part.end}, invert);
  assembly.Finish();
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeSplit(const JsonObject& json) {
  ASSIGN_OR_RETURN(Pattern pattern, Pattern::FromJson(json));
  ASSIGN_OR_RETURN(const SplitBehavior behavior, ParseBehavior(json));
  ASSIGN_OR_RETURN(const bool invert, json.Bool("invert", false));
  return std::make_unique<Split>(std::move(pattern), behavior, invert);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeDigits(const JsonObject& json) {
  ASSIGN_OR_RETURN(const bool individual, json.Bool("individual_digits", false));
  return std::make_unique<Digits>(individual);
}

}  // namespace mozgach
