// A base of any shape whose weights are all alike: what it takes is that of a real one.
#pragma once

#include <filesystem>

#include "nlohmann/json.hpp"

namespace mozgach {

// config.json and model.safetensors of the family that `config` names, in its torch_dtype.
void WriteFilledBase(const std::filesystem::path& dir, const nlohmann::json& config);

}  // namespace mozgach
