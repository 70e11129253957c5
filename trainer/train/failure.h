// Whose fault a failed job is, as the protocol and the fleet count it; and the seam where what
// libtorch and the standard library throw becomes a Status.
#pragma once

#include <functional>
#include <string>

#include "common/status.h"

namespace mozgach {

enum class FailureClass {
  kUser,            // the domain file asks for what can't be
  kData,            // the dataset or the base's files are wrong, or the training diverged
  kOutOfMemory,     // this device, these settings
  kInfrastructure,  // disk full, a file that can't be read: another try may succeed
};

// "user", "data", "out_of_memory", "infrastructure".
const char* FailureClassName(FailureClass failure_class);

// `status`, marked; OK stays OK.
absl::Status WithClass(absl::Status status, FailureClass failure_class);

// The mark of WithClass(), or what follows from the code. An exception of libtorch that
// CatchTorch() caught is of class data: a retry would meet it again.
FailureClass ClassOf(const absl::Status& status);

// Runs `work` and returns its status.  Exceptions become one: no memory (std::bad_alloc,
// c10::OutOfMemoryError and the CPU allocator's own message) RESOURCE_EXHAUSTED of class
// kOutOfMemory, all others INTERNAL of class kData with their text.
absl::Status CatchingExceptions(const std::function<absl::Status()>& work);

}  // namespace mozgach
