// A SpecValue is what a domain file, or the JSON of one, says at some place, before anyone has
// asked what it means.  Whether `fast` is a number is decided by the field that reads it.  Plain
// value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "nlohmann/json_fwd.hpp"

namespace mozgach {

// 1-based, columns in characters; {0, 0} for JSON, which has no lines.
struct Place {
  int line = 0;
  int column = 0;
};

struct SpecValue {
  enum class Kind {
    kNull,
    kPlain,   // a scalar without quotes: text, a number, true; in JSON a number or a boolean
    kQuoted,  // a scalar that can only be text
    kList,
    kMap,
  };
  struct Entry;

  Kind kind = Kind::kNull;
  std::string text;              // a scalar's text; UTF-8
  std::vector<SpecValue> items;  // a list's items
  std::vector<Entry> entries;    // a map's entries in the order written, duplicates included
  Place place;

  bool IsScalar() const { return kind == Kind::kPlain || kind == Kind::kQuoted; }
  // The value under `key` of a map; nullptr where there is none.
  const SpecValue* Find(std::string_view key) const;
};

struct SpecValue::Entry {
  std::string key;
  Place key_place;
  SpecValue value;
};

// The limits of a domain file, whatever form it comes in.
inline constexpr size_t kMaxSpecBytes = size_t{1} << 20;
inline constexpr int kMaxSpecDepth = 16;
inline constexpr int kMaxSpecValues = 20'000;

// INVALID_ARGUMENT when `json` is nested deeper or holds more than the limits, or text that is not
// UTF-8.
absl::StatusOr<SpecValue> SpecValueFromJson(const nlohmann::json& json);

// `text` in quotes for a message: abbreviated, control characters replaced.
std::string Quoted(std::string_view text);

// "'fast'", "0.5", "the text '0.5'", "a list", "nothing": the value as a message names it.
std::string Describe(const SpecValue& value);

}  // namespace mozgach
