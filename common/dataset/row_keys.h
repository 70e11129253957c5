// The keys of rows and of their turns, and what becomes of each: read by a format, a switch for
// training, rejected because its meaning would be lost, or unknown.  docs/domain_file.md lists
// them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/dataset/dataset.h"
#include "common/status.h"
#include "nlohmann/json.hpp"

namespace mozgach {

using KeyNames = std::vector<std::string>;

// The keys that `format` reads of a row, and of each turn (empty: its rows have no turns).
const KeyNames& RowKeys(RowFormat format);
const KeyNames& TurnKeys(RowFormat format);

// The keys of a row or turn that say whether it is trained: 0 or false is not, 1 or true is.
const KeyNames& TrainKeys();

// The keys whose meaning would be lost, and what to do instead.
struct RejectedKeys {
  std::string advice;
  KeyNames names;
  bool false_has_meaning = false;  // `false` is not the same as an absent key
};
const std::vector<RejectedKeys>& AllRejectedKeys();

// True for a value that means "absent": null, false, blank text, an empty list or object, the texts
// "[]", "{}" and "null", a list or an object of nothing but such values.
bool IsEmptyValue(const nlohmann::json& value);

// INVALID_ARGUMENT names the first key of `object` that is not in `read` and whose meaning would be
// lost.  Keys without a meaning go to `unknown` as "prefix" + key; null: they are not counted.
absl::Status CheckKeys(const nlohmann::json& object, const KeyNames& read,
                       const std::string& prefix, UnknownKeys* unknown);

// What the train keys of `object` say; nothing: they are absent.  INVALID_ARGUMENT names a value
// that cannot be honoured, such as a weight of 0.5, and keys that contradict each other.
struct TrainSwitch {
  bool trained = true;
  std::string key;
  bool overrides = false;  // true for `train` and the like; a weight of 1 only says "as usual"
};
absl::StatusOr<std::optional<TrainSwitch>> TrainSwitchOf(const nlohmann::json& object);

// "; did you mean 'output' instead of 'ouput'?" if a key of `object` is near to `key`, or is
// another tool's name for it; else empty.
std::string KeyAdvice(const nlohmann::json& object, const std::string& key);

}  // namespace mozgach
