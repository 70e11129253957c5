// A base of any shape whose weights all have the same value. It needs the same memory as a real
// base.
#pragma once

#include <filesystem>

#include "nlohmann/json.hpp"

namespace mozgach {

// Writes config.json and model.safetensors of the family that `config` names, in its torch_dtype.
void WriteFilledBase(const std::filesystem::path& dir, const nlohmann::json& config);

}  // namespace mozgach
