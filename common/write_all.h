// Writing to an open file.
#pragma once

#include <filesystem>
#include <string_view>

#include "common/status.h"

namespace mozgach {

// Writes all of `bytes` at the position of `fd`, however many calls it takes. `path` is for the
// message.
absl::Status WriteAll(int fd, std::string_view bytes, const std::filesystem::path& path);

}  // namespace mozgach
