// A Pattern is the search pattern of Split and Replace: {"String": "…"}, a literal, or {"Regex":
// "…"}. Immutable; thread-safe.
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

  // Appends the matches in `text`, left to right, not overlapping. Errors: see Regex::FindInParts.
  absl::Status FindAll(std::string_view text, std::vector<Span>* matches) const {
    return FindInParts(text, {{0, text.size()}}, [&](const Span&, const std::vector<Span>& found) {
      matches->insert(matches->end(), found.begin(), found.end());
    });
  }

  // Calls found(part, matches) for each of `parts` of `text`, in order. Each part is searched as a
  // separate text.
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

  // INVALID_ARGUMENT if the replacement of a regex refers to groups ("$1"), which is not supported.
  absl::Status CheckReplacement(const JsonObject& owner, std::string_view content) const;

 private:
  void FindLiteral(std::string_view text, Span part, std::vector<Span>* matches) const;

  std::string literal_;  // used if regex_ is not set
  std::optional<Regex> regex_;
};

}  // namespace mozgach
