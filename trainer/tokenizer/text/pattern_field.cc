#include "trainer/tokenizer/text/pattern_field.h"

#include <utility>

namespace mozgach {

absl::StatusOr<Pattern> Pattern::FromJson(const JsonObject& owner) {
  ASSIGN_OR_RETURN(const JsonObject field, owner.Object("pattern"));
  ASSIGN_OR_RETURN(std::optional<std::string> literal, field.OptionalString("String"));
  Pattern pattern;
  if (literal.has_value()) {
    if (literal->empty()) return field.Error("String", "is empty");
    pattern.literal_ = *std::move(literal);
    return pattern;
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> source, field.OptionalString("Regex"));
  if (!source.has_value()) return owner.Error("pattern", "has neither String nor Regex");
  absl::StatusOr<Regex> regex = Regex::Compile(*source);
  if (!regex.ok()) return Annotate(regex.status(), field.Where("Regex"));
  pattern.regex_ = *std::move(regex);
  return pattern;
}

void Pattern::FindLiteral(std::string_view text, Span part, std::vector<Span>* matches) const {
  const std::string_view within = text.substr(0, part.end);
  for (size_t at = within.find(literal_, part.begin); at != std::string_view::npos;
       at = within.find(literal_, at + literal_.size())) {
    matches->push_back({at, at + literal_.size()});
  }
}

absl::Status Pattern::CheckReplacement(const JsonObject& owner, std::string_view content) const {
  if (!regex_.has_value() || content.find('$') == std::string_view::npos) return absl::OkStatus();
  return owner.Error("content", "'$' beside a Regex refers to a group, which is not supported");
}

}  // namespace mozgach
