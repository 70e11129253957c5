// What a client may call a file.  Nothing it says becomes a path without passing here.
#pragma once

#include <string_view>

#include "common/status.h"

namespace mozgach {

inline constexpr size_t kPathBytesMax = 512;
inline constexpr size_t kPathPartBytesMax = 255;
inline constexpr size_t kPathPartsMax = 8;

// OK for a relative path of plain parts joined by '/': none of them empty, '.' or '..', no control
// characters and no backslash.  INVALID_ARGUMENT says what is wrong with it.
absl::Status CheckRelativePath(std::string_view path);

// OK for [a-z0-9][a-z0-9_-]{0,62} that could not be taken for a version ("v0001", "7").
absl::Status CheckAliasName(std::string_view alias);

// OK for a file that a reader of adapters takes as data: weights as safetensors or GGUF, and text.
// Formats that can run code when they are loaded (pickles, scripts, libraries) have no place in a
// version, whatever a worker says.  The name must mean the same on every disk: ASCII, without the
// characters that Windows does not have.
absl::Status CheckAdapterFile(std::string_view path);

}  // namespace mozgach
