// The engine's seam: what libtorch and the standard library throw becomes a Status.
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>

#include "common/status.h"

namespace mozgach {

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
