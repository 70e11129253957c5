// Converts exceptions of libtorch and the standard library to a Status.
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "common/status.h"

namespace mozgach {

// The first line of the exception's text, without libtorch's backtrace.
std::string FirstLineOf(const std::exception& exception);

// True if memory ran out in libtorch's allocators, in the standard library's, or in oneDNN, which
// compiles a product for each shape and only reports that it "could not create a primitive".
bool IsOutOfMemory(const std::exception& exception);

// Status of an exception that is being handled: RESOURCE_EXHAUSTED if memory ran out, else INTERNAL
// with its text.
absl::Status StatusOfException(const std::exception& exception);

// Returns work(), a Status or StatusOr. An exception becomes its error.
template <typename Work>
auto CatchTorch(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& exception) {
    return StatusOfException(exception);
  }
}

}  // namespace mozgach
