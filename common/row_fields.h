// What the formats of rows are made of: text under a key, and lists of messages.  Every error ends
// with `needs`, the sentence that says what a row of that format looks like.
#pragma once

#include <string>

#include "common/dataset.h"
#include "common/status.h"
#include "nlohmann/json.hpp"

namespace mozgach {

// True where `key` is there and not null.
bool HasField(const nlohmann::json& object, const char* key);

// INVALID_ARGUMENT "row has no 'key': needs".
absl::Status MissingField(const char* key, const char* needs);

// The text under `key`; INVALID_ARGUMENT where there is none or it is no text.
absl::StatusOr<std::string> TextField(const nlohmann::json& object, const char* key,
                                      const char* needs);

// As above; empty where `key` is absent.
absl::StatusOr<std::string> OptionalTextField(const nlohmann::json& object, const char* key,
                                              const char* needs);

// Appends the messages of the list under `key`, whose objects carry `role` and `content` under
// those names.  INVALID_ARGUMENT for a role we do not know, content that is no text, and tool
// calls.
absl::Status AppendMessages(const nlohmann::json& object, const char* key, const char* role,
                            const char* content, const char* needs, Row* row);

}  // namespace mozgach
