// Classifies a failed job as the protocol and the fleet count it, and converts exceptions of
// libtorch and the standard library to a Status.
#pragma once

#include <functional>
#include <string>

#include "common/status.h"

namespace mozgach {

enum class FailureClass {
  kUser,            // the domain file asks for something impossible
  kData,            // the dataset or the base's files are wrong, or the training diverged
  kOutOfMemory,     // this device is too small for these settings
  kInfrastructure,  // disk full, unreadable file: a retry may succeed
};

// "user", "data", "out_of_memory", "infrastructure".
const char* FailureClassName(FailureClass failure_class);

// Marks `status` with a class; OK stays OK.
absl::Status WithClass(absl::Status status, FailureClass failure_class);

// The class set by WithClass(), or derived from the code. A libtorch exception that CatchTorch()
// caught has class data: a retry would fail again.
FailureClass ClassOf(const absl::Status& status);

// Runs `work` and returns its status. Exceptions become a status: out of memory (std::bad_alloc,
// c10::OutOfMemoryError and the CPU allocator's own message) becomes RESOURCE_EXHAUSTED of class
// kOutOfMemory; all others become INTERNAL of class kData with their text.
absl::Status CatchingExceptions(const std::function<absl::Status()>& work);

}  // namespace mozgach
