#include "common/domain/field_rule.h"

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

// Bounds are whole numbers or short fractions; the large ones are shown as a power of two or ten
// would be typed.
std::string ShowBound(double bound) {
  if (bound == static_cast<double>(static_cast<int64_t>(bound)) && bound < 1e15) {
    return absl::StrCat(static_cast<int64_t>(bound));
  }
  return absl::StrCat(bound);
}

}  // namespace

std::string RangeOf(const FieldRule& rule) {
  if (rule.least && rule.most && !rule.above && !rule.below) {
    return absl::StrCat("from ", ShowBound(*rule.least), " to ", ShowBound(*rule.most));
  }
  std::string range;
  if (rule.least)
    absl::StrAppend(&range, rule.above ? "above " : "at least ", ShowBound(*rule.least));
  if (rule.least && rule.most) range += " and ";
  if (rule.most) absl::StrAppend(&range, rule.below ? "below " : "at most ", ShowBound(*rule.most));
  return range;
}

bool InRange(const FieldRule& rule, double number) {
  if (rule.least && (rule.above ? number <= *rule.least : number < *rule.least)) return false;
  if (rule.most && (rule.below ? number >= *rule.most : number > *rule.most)) return false;
  return true;
}

std::string ListOf(const std::vector<std::string_view>& names) {
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += names[i];
  }
  return list;
}

}  // namespace mozgach
