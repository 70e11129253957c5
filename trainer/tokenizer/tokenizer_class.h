// Default special tokens of transformers' tokenizer classes.
//
// Source: transformers 5.23, AutoTokenizer and the classes Qwen2Tokenizer, LlamaTokenizer and
// GemmaTokenizer.
#pragma once

#include <map>
#include <string>

#include "nlohmann/json.hpp"

namespace mozgach {

// Returns the default tokens by name ("eos_token": "</s>") of the class that transformers chooses
// for a base with this tokenizer_config.json (`config`) and the `model_type` of its config.json.
// `byte_level`: tokenizer.json has a ByteLevel pre-tokenizer. Empty for a class without defaults.
std::map<std::string, std::string> TokenizerClassDefaults(const nlohmann::ordered_json& config,
                                                          const std::string& model_type,
                                                          bool byte_level);

}  // namespace mozgach
