// A LineSplitter cuts a stream of bytes into lines, however it arrives.
//
// A line longer than `kLineMax` is given up to that length; the rest of it is passed over.
// Not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace mozgach {

class LineSplitter {
 public:
  static constexpr size_t kLineMax = size_t{4} << 20;

  explicit LineSplitter(std::function<void(std::string)> line) : line_(std::move(line)) {}

  void Add(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      if (rest_.size() < kLineMax) rest_.append(part.substr(0, kLineMax - rest_.size()));
      if (end == std::string_view::npos) return;
      line_(std::exchange(rest_, {}));
      bytes.remove_prefix(end + 1);
    }
  }

  // The stream has ended: what is left is a line.
  void Finish() {
    if (!rest_.empty()) line_(std::exchange(rest_, {}));
  }

 private:
  const std::function<void(std::string)> line_;
  std::string rest_;
};

}  // namespace mozgach
