#include "trainer/tokenizer/text/metaspace.h"

#include <utility>
#include <vector>

#include "trainer/tokenizer/text/split.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

using Prepend = MetaspaceSettings::Prepend;

class Metaspace : public PreTokenizer {
 public:
  explicit Metaspace(MetaspaceSettings settings) : settings_(std::move(settings)) {}

  absl::Status Apply(Words* words) const override {
    ReplaceSpaces(words);
    if (settings_.split) Cut(words);
    return absl::OkStatus();
  }

 private:
  // Moves the spans as the text before them grows.
  void ReplaceSpaces(Words* words) const {
    const std::string& text = words->text.text;
    const std::string_view mark = settings_.replacement;
    Rewriter rewriter(&words->text);
    std::vector<Span> moved;
    size_t grown = 0;
    for (const Span& word : words->spans) {
      const size_t begin = word.begin + grown;
      if (WantsPrefix(std::string_view(text).substr(word.begin), word, words->at_start)) {
        rewriter.Replace(word.begin, word.begin, mark);
        grown += mark.size();
      }
      for (size_t at = text.find(' ', word.begin); at < word.end; at = text.find(' ', at + 1)) {
        rewriter.Replace(at, at + 1, mark);
        grown += mark.size() - 1;
      }
      moved.push_back({begin, word.end + grown});
    }
    rewriter.Finish();
    words->spans = std::move(moved);
  }

  bool WantsPrefix(std::string_view rest, Span word, bool at_start) const {
    if (settings_.prepend == Prepend::kNever) return false;
    if (settings_.prepend == Prepend::kFirst && !(at_start && word.begin == 0)) return false;
    return rest[0] != ' ' && !rest.starts_with(settings_.replacement);
  }

  void Cut(Words* words) const {
    const std::string& text = words->text.text;
    const std::string& mark = settings_.replacement;
    std::vector<Span> cut;
    std::vector<Span> marks;
    for (const Span& word : words->spans) {
      marks.clear();
      for (size_t at = text.find(mark, word.begin); at < word.end;
           at = text.find(mark, at + mark.size())) {
        marks.push_back({at, at + mark.size()});
      }
      AppendSplit(word, marks, SplitBehavior::kMergedWithNext, /*invert=*/false, &cut);
    }
    words->spans = std::move(cut);
  }

  MetaspaceSettings settings_;
};

absl::StatusOr<Prepend> ParsePrepend(const JsonObject& json) {
  ASSIGN_OR_RETURN(const bool legacy, json.Bool("add_prefix_space", true));
  ASSIGN_OR_RETURN(const std::optional<std::string> scheme, json.OptionalString("prepend_scheme"));
  if (!scheme.has_value()) return legacy ? Prepend::kAlways : Prepend::kNever;
  if (*scheme == "always") return Prepend::kAlways;
  if (*scheme == "first") return Prepend::kFirst;
  if (*scheme == "never") return Prepend::kNever;
  return json.Unsupported("prepend_scheme", *scheme);
}

}  // namespace

absl::StatusOr<MetaspaceSettings> MetaspaceSettings::FromJson(const JsonObject& json) {
  MetaspaceSettings settings;
  ASSIGN_OR_RETURN(settings.replacement, json.String("replacement"));
  ASSIGN_OR_RETURN(settings.prepend, ParsePrepend(json));
  ASSIGN_OR_RETURN(settings.split, json.Bool("split", true));
  const std::string& mark = settings.replacement;
  if (mark.empty() || mark.size() != Utf8Length(mark[0])) {
    return json.Error("replacement", "expected one character");
  }
  return settings;
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeMetaspace(const JsonObject& json) {
  ASSIGN_OR_RETURN(MetaspaceSettings settings, MetaspaceSettings::FromJson(json));
  return std::make_unique<Metaspace>(std::move(settings));
}

}  // namespace mozgach
