// Protobuf messages as the JSON that mozgachctl prints.
#pragma once

#include <google/protobuf/message.h>

#include "nlohmann/json.hpp"

namespace mozgach {

// Every field under its name in the .proto, in that order: numbers as numbers, absent optional
// fields null, enums as their lower-case names.  A text field `x_json` becomes `x`, the JSON it
// holds, and
// {} where it is empty.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

// As an array, one element per message.
template <typename Messages>
nlohmann::ordered_json ToJsonArray(const Messages& messages) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const auto& message : messages) array.push_back(ToJson(message));
  return array;
}

// `json` on one line; bytes that are not UTF-8 become U+FFFD.
std::string DumpLine(const nlohmann::ordered_json& json);

// `json` for a program that reads stdout, indented for the person who looks at it.
void PrintJson(const nlohmann::ordered_json& json);

}  // namespace mozgach
