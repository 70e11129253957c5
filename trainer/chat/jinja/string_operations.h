// Building blocks of the string methods and filters of templates. Text keeps the origin of every
// part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/text.h"

namespace mozgach::jinja {

// str.split(separator, limit). If `separator` is null, splits at white space. A negative limit
// means no limit.
absl::StatusOr<std::vector<Text>> Split(const Text& text, const std::string* separator,
                                        int64_t limit, Budget* budget);
// str.rsplit(separator, limit): like Split, but counts from the end.
absl::StatusOr<std::vector<Text>> SplitRight(const Text& text, const std::string* separator,
                                             int64_t limit, Budget* budget);
// str.splitlines(keep_ends): splits at every Unicode line break.
absl::StatusOr<std::vector<Text>> SplitLines(const Text& text, bool keep_ends, Budget* budget);

// str.replace(from, to, limit). A negative limit means no limit.
absl::StatusOr<Text> Replace(const Text& text, const std::string& from, const Text& to,
                             int64_t limit, Budget* budget);

absl::StatusOr<Text> Join(const std::vector<Text>& parts, const Text& separator, Budget* budget);

}  // namespace mozgach::jinja
