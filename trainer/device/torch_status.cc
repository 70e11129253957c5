#include "trainer/device/torch_status.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#if __has_include(<oneapi/dnnl/dnnl_common.hpp>)
#include <oneapi/dnnl/dnnl_common.hpp>
#define MOZGACH_HAS_ONEDNN 1
#endif

namespace mozgach {
namespace {

bool IsOutOfMemoryOfOneDnn([[maybe_unused]] const std::exception& exception) {
#ifdef MOZGACH_HAS_ONEDNN
  const auto* error = dynamic_cast<const dnnl::error*>(&exception);
  return error != nullptr && error->status == dnnl_out_of_memory;
#else
  return false;
#endif
}

std::string TextOf(const std::exception& exception) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&exception);
  return torch_error != nullptr ? torch_error->what_without_backtrace() : exception.what();
}

}  // namespace

std::string FirstLineOf(const std::exception& exception) {
  const std::string text = TextOf(exception);
  return text.substr(0, text.find('\n'));
}

bool IsOutOfMemory(const std::exception& exception) {
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr ||
      dynamic_cast<const c10::OutOfMemoryError*>(&exception) != nullptr ||
      IsOutOfMemoryOfOneDnn(exception)) {
    return true;
  }
  // The CPU allocator does not have its own exception type.
  const std::string text = TextOf(exception);
  return absl::StrContains(text, "not enough memory") ||
         absl::StrContains(text, "can't allocate memory");
}

absl::Status StatusOfException(const std::exception& exception) {
  const std::string text = FirstLineOf(exception);
  if (IsOutOfMemory(exception)) {
    return absl::ResourceExhaustedError(absl::StrCat("out of memory: ", text));
  }
  return absl::InternalError(absl::StrCat("libtorch: ", text));
}

}  // namespace mozgach
