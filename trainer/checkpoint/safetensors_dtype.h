// The names of element types in safetensors headers.
#pragma once

#include <c10/core/ScalarType.h>

#include <optional>
#include <string>
#include <string_view>

namespace mozgach {

// "F32" → float32, …; nothing for a name we do not know.
std::optional<at::ScalarType> ScalarTypeFromSafetensors(std::string_view name);

// The inverse; nothing for a type the format does not have.
std::optional<std::string_view> SafetensorsName(at::ScalarType type);

}  // namespace mozgach
