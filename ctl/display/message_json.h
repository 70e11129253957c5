// Converts protobuf messages to the JSON that mozgachctl prints.
#pragma once

#include <google/protobuf/message.h>

#include "nlohmann/json.hpp"

namespace mozgach {

// Converts all fields, with their names and order in the .proto file: numbers as numbers, absent
// optional fields as null, enums as lower-case names. A text field `x_json` becomes `x` with the
// JSON it contains, or {} if it is empty.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

// Returns an array with one element per message.
template <typename Messages>
nlohmann::ordered_json ToJsonArray(const Messages& messages) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const auto& message : messages) array.push_back(ToJson(message));
  return array;
}

// Returns `json` on one line. Invalid UTF-8 becomes U+FFFD.
std::string DumpLine(const nlohmann::ordered_json& json);

// Prints `json` to stdout, indented for readability.
void PrintJson(const nlohmann::ordered_json& json);

}  // namespace mozgach
