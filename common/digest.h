// SHA-256 digests: how datasets, adapters and specs are named and compared.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/status.h"

namespace mozgach {

// Feeds bytes in pieces.  One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);
  // 64 lower-case hex digits.  The object may not be used afterwards.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(std::string_view bytes);
absl::StatusOr<std::string> Sha256OfFile(const std::filesystem::path& path);

// True for 64 lower-case hex digits: the only text that may become a blob's file name.
bool IsSha256Hex(std::string_view text);

}  // namespace mozgach
