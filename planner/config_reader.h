// Reads keys of one object of a config.json.  A value that is null counts as absent, as in Hugging
// Face's configuration classes.  Remembers the first thing that is wrong; what is read after it is
// a harmless default.  Not for use from several threads.
#pragma once

#include <cstdint>
#include <string>

#include "common/status.h"
#include "nlohmann/json.hpp"

namespace mozgach {

class ConfigReader {
 public:
  // `object` outlives the reader and is an object.
  explicit ConfigReader(const nlohmann::json& object) : object_(object) {}

  // The value; null where it is absent or null.
  const nlohmann::json* Find(const char* key) const;
  // True where the key is there, be it null.
  bool Contains(const char* key) const { return object_.contains(key); }

  // A whole number from 1 to 2^24.  Without a fallback the key must be there.
  int64_t Size(const char* key, int64_t fallback = 0);
  // A finite number above 0.
  double Positive(const char* key, double fallback);
  bool Flag(const char* key, bool fallback);
  std::string Text(const char* key, const std::string& fallback);

  // "key '<key>' <what>" becomes the status unless something was wrong before.
  void Fail(const std::string& key, const std::string& what);
  // What another reader found wrong below `key`.
  void Adopt(const std::string& key, const absl::Status& status);
  const absl::Status& status() const { return status_; }

 private:
  const nlohmann::json& object_;
  absl::Status status_;
};

}  // namespace mozgach
