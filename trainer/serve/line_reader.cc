#include "trainer/serve/line_reader.h"

#include "absl/strings/str_cat.h"

namespace mozgach {

absl::StatusOr<std::optional<std::string>> LineReader::Next() {
  std::string line;
  bool too_long = false;
  std::streambuf& buffer = *in_.rdbuf();
  for (;;) {
    const int c = buffer.sbumpc();
    const bool end = c == std::char_traits<char>::eof();
    if (end && line.empty() && !too_long) return std::nullopt;
    if (end || c == '\n') break;
    if (line.size() < limit_) {
      line.push_back(static_cast<char>(c));
    } else {
      too_long = true;
    }
  }
  if (!too_long) return line;
  return absl::ResourceExhaustedError(
      absl::StrCat("a line of more than ", limit_, " bytes was passed over"));
}

}  // namespace mozgach
