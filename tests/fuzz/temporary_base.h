// A base's directory for a fuzz target, made once and removed at the end of the process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace mozgach {

class TemporaryBase {
 public:
  TemporaryBase();
  ~TemporaryBase();
  TemporaryBase(const TemporaryBase&) = delete;
  TemporaryBase& operator=(const TemporaryBase&) = delete;

  void Write(const char* name, const uint8_t* data, size_t size) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace mozgach
