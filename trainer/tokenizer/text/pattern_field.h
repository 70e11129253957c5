// A Pattern is what Split and Replace look for: {"String": "…"}, taken as it is, or {"Regex": "…"}.
// Immutable; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/regex.h"

namespace mozgach {

class Pattern {
 public:
  // Reads the field "pattern" of `owner`.
  static absl::StatusOr<Pattern> FromJson(const JsonObject& owner);

  // Appends the matches in `text`, left to right, not overlapping.  Errors: Regex::FindAll.
  absl::Status FindAll(std::string_view text, std::vector<Span>* matches) const {
    return FindInParts(text, {{0, text.size()}}, [&](const Span&, const std::vector<Span>& found) {
      matches->insert(matches->end(), found.begin(), found.end());
    });
  }

  // The matches in each of `parts` of `text`, each a text of its own: found(part, matches), in
  // order.
  template <typename Callback>
  absl::Status FindInParts(std::string_view text, const std::vector<Span>& parts,
                           Callback found) const {
    if (regex_.has_value()) return regex_->FindInParts(text, parts, found);
    std::vector<Span> matches;
    for (const Span& part : parts) {
      matches.clear();
      FindLiteral(text, part, &matches);
      found(part, matches);
    }
    return absl::OkStatus();
  }

  // A regex's replacement may not refer to groups ("$1"): we do not have that.
  absl::Status CheckReplacement(const JsonObject& owner, std::string_view content) const;

 private:
  void FindLiteral(std::string_view text, Span part, std::vector<Span>* matches) const;

  std::string literal_;  // searched for without a regex_
  std::optional<Regex> regex_;
};

}  // namespace mozgach
