// `mozgach-trainer render` renders conversations with a base's chat template, for users and tests.
#pragma once

#include <filesystem>
#include <iosfwd>

#include "common/status.h"

namespace mozgach {

// Reads one JSON object per line of `in`, {"messages": […], "add_generation_prompt": bool, …}: the
// template's variables. Writes one line to `out` for each, before it reads the next: the rendered
// text as a JSON string, or {"error": "what"} if the line is not such an object or the template
// rejects it. Needs only the tokenizer's files in `base_dir`. INVALID_ARGUMENT if the base has no
// chat template, or an unsupported one.
absl::Status RunRender(const std::filesystem::path& base_dir, std::istream& in, std::ostream& out);

}  // namespace mozgach
