// Finds what a person meant to type.  Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mozgach {

// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b` (optimal
// string alignment distance), in bytes.  Costs |a|·|b|.
int EditDistance(std::string_view a, std::string_view b);

// The name nearest to `typed`, where that is near enough to be meant: at most a third of it
// differs, and never more than 3 edits.  Case does not count.  Empty where no name is near.
std::string NearestName(std::string_view typed, const std::vector<std::string>& names);

// The base nearest to `typed`, as NearestName; also one of another owner, or typed without its
// owner: "Qwen/Qwen2.5-3B" for "Qwen2.5-3b".
std::string NearestBase(std::string_view typed, const std::vector<std::string>& names);

}  // namespace mozgach
