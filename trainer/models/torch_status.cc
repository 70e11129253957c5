#include "trainer/models/torch_status.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

// libtorch puts a backtrace behind the first line.
std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// The CPU's allocator has no exception type of its own.
bool IsOutOfMemory(const std::exception& exception, const std::string& text) {
  return dynamic_cast<const std::bad_alloc*>(&exception) != nullptr ||
         dynamic_cast<const c10::OutOfMemoryError*>(&exception) != nullptr ||
         absl::StrContains(text, "not enough memory") ||
         absl::StrContains(text, "can't allocate memory");
}

}  // namespace

absl::Status StatusOfException(const std::exception& exception) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&exception);
  const std::string text = torch_error != nullptr ? torch_error->what_without_backtrace()
                                                  : std::string(exception.what());
  if (IsOutOfMemory(exception, text)) {
    return absl::ResourceExhaustedError(absl::StrCat("out of memory: ", FirstLine(text)));
  }
  return absl::InternalError(absl::StrCat("libtorch: ", FirstLine(text)));
}

}  // namespace mozgach
