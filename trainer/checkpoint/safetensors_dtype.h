// The names of element types in safetensors headers.
#pragma once

#include <c10/core/ScalarType.h>

#include <optional>
#include <string>
#include <string_view>

namespace mozgach {

// "F32" → float32, …; nullopt for an unknown name.
std::optional<at::ScalarType> ScalarTypeFromSafetensors(std::string_view name);

// The inverse; nullopt for a type that the format does not have.
std::optional<std::string_view> SafetensorsName(at::ScalarType type);

}  // namespace mozgach
