// Tries the chat template of a base on a conversation of two turns.
#pragma once

#include <filesystem>

#include "common/base/chat_report.h"

namespace mozgach {

// Loads the tokenizer and the chat template of `base_dir` as training does, and builds a sample
// conversation with them. Throws nothing; a base that cannot be read gives `error`. Thread-safe.
ChatReport InspectChat(const std::filesystem::path& base_dir);

}  // namespace mozgach
