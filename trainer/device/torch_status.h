// The engine's seam: what libtorch and the standard library throw becomes a Status.
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "common/status.h"

namespace mozgach {

// The first line of what it says, without libtorch's backtrace.
std::string FirstLineOf(const std::exception& exception);

// Whether memory ran out: in the allocators of libtorch, in the standard library's, or in oneDNN,
// which compiles a product for each shape and says only that it "could not create a primitive".
bool IsOutOfMemory(const std::exception& exception);

// For an exception that is being handled: RESOURCE_EXHAUSTED when memory ran out, else INTERNAL
// with its text.
absl::Status StatusOfException(const std::exception& exception);

// work(), a Status or StatusOr; an exception becomes its error.
template <typename Work>
auto CatchTorch(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& exception) {
    return StatusOfException(exception);
  }
}

}  // namespace mozgach
