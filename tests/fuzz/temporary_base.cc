#include "tests/fuzz/temporary_base.h"

#include <stdlib.h>

#include <fstream>

namespace mozgach {

TemporaryBase::TemporaryBase() {
  std::string pattern = (std::filesystem::temp_directory_path() / "mozgach-fuzz.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) abort();
  path_ = pattern;
}

TemporaryBase::~TemporaryBase() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryBase::Write(const char* name, const uint8_t* data, size_t size) const {
  std::ofstream file(path_ / name, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
}

}  // namespace mozgach
