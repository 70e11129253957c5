// Tests the chat template of a base with a conversation of two turns.
#pragma once

#include <filesystem>

#include "common/base/chat_report.h"

namespace mozgach {

// Loads the tokenizer and the chat template of `base_dir` as training does, and builds a sample
// conversation with them. If the base cannot be read, sets `error` in the report. Throws nothing.
// Thread-safe.
ChatReport InspectChat(const std::filesystem::path& base_dir);

}  // namespace mozgach
