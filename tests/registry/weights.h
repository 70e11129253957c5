// Adapters for tests: the two files that a version must have, whose bytes are what the test says.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace mozgach {

inline std::string WithHeader(const std::string& header, const std::string& bytes) {
  std::string file(8, '\0');
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(uint64_t{header.size()} >> (8 * i));
  return absl::StrCat(file, header, bytes);
}

// adapter_config.json of an adapter of `base`.
inline std::string AdapterConfigText(const std::string& base) {
  return absl::StrCat(R"({"base_model_name_or_path": ")", base,
                      R"(", "peft_type": "LORA", "r": 1, "target_modules": ["q_proj"]})");
}

// adapter_model.safetensors: a pair of rank 1, whose lora_A holds `bytes`.
inline std::string Weights(const std::string& bytes) {
  const size_t values = bytes.size() / 4 + 1;
  const std::string name = "\"base_model.model.model.layers.0.self_attn.q_proj.lora_";
  const size_t end = 4 * values;
  std::string data = absl::StrCat(bytes, std::string(end - bytes.size(), '\0'), "\0\0\0\0");
  data.resize(end + 4);
  return WithHeader(absl::StrCat("{", name, R"(A.weight":{"dtype":"F32","shape":[1,)", values,
                                 R"(],"data_offsets":[0,)", end, "]},", name,
                                 R"(B.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[)", end,
                                 ",", end + 4, "]}}"),
                    data);
}

}  // namespace mozgach
