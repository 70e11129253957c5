// `mozgach-trainer render`: what a base's chat template makes of conversations, for people and
// tests.
#pragma once

#include <filesystem>
#include <iosfwd>

#include "common/status.h"

namespace mozgach {

// One JSON object per line of `in`, {"messages": […], "add_generation_prompt": bool, …}: the
// template's variables. One line of `out` for each, written before the next is read: the rendered
// text as a JSON string, or {"error": "what"} for a line that is not such an object or that the
// template rejects. Needs only the tokenizer's files in `base_dir`. INVALID_ARGUMENT if the base
// has no chat template, or an unsupported one.
absl::Status RunRender(const std::filesystem::path& base_dir, std::istream& in, std::ostream& out);

}  // namespace mozgach
