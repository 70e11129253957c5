// What the formats of rows are made of: text under a key, and lists of messages.  Every error ends
// with `needs`, the sentence that says what a row of that format looks like.
#pragma once

#include <string>

#include "common/dataset/dataset.h"
#include "common/dataset/row_keys.h"
#include "common/status.h"
#include "nlohmann/json.hpp"

namespace mozgach {

// True where `key` is there and not null.
bool HasField(const nlohmann::json& object, const char* key);

// True where `key` is there with a value that is not empty (IsEmptyValue).
bool HasValue(const nlohmann::json& object, const char* key);

// INVALID_ARGUMENT "row has no 'key': needs", and the key of `object` that may be meant.
absl::Status MissingField(const nlohmann::json& object, const char* key, const char* needs);

// Returns the text under `key`; INVALID_ARGUMENT if it is absent or not text.
absl::StatusOr<std::string> TextField(const nlohmann::json& object, const char* key,
                                      const char* needs);

// The same; empty if `key` is absent, blank, or an empty value of another type.
absl::StatusOr<std::string> OptionalTextField(const nlohmann::json& object, const char* key,
                                              const char* needs);

// Appends the messages of the list under `key`, whose objects carry their role and content under
// TurnKeys(format).  Honours the train keys of each turn; `targets`: the turns may be trained.
// INVALID_ARGUMENT for an unknown role, content that is not text, and keys whose meaning would be
// lost.
absl::Status AppendMessages(const nlohmann::json& object, const char* key, RowFormat format,
                            const char* needs, bool targets, UnknownKeys* unknown, Row* row);

}  // namespace mozgach
