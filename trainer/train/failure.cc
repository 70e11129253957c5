#include "trainer/train/failure.h"

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string_view>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trainer/device/torch_status.h"

namespace mozgach {
namespace {

constexpr char kPayload[] = "mozgach/failure_class";
constexpr FailureClass kClasses[] = {FailureClass::kUser, FailureClass::kData,
                                     FailureClass::kOutOfMemory, FailureClass::kInfrastructure};

absl::Status OutOfMemory(const std::string& what) {
  return WithClass(
      absl::ResourceExhaustedError(absl::StrCat(
          "out of memory: ", what,
          "; try a smaller per_device_train_batch_size or max_length, or gradient_checkpointing")),
      FailureClass::kOutOfMemory);
}

}  // namespace

const char* FailureClassName(FailureClass failure_class) {
  switch (failure_class) {
    case FailureClass::kUser:
      return "user";
    case FailureClass::kData:
      return "data";
    case FailureClass::kOutOfMemory:
      return "out_of_memory";
    case FailureClass::kInfrastructure:
      break;
  }
  return "infrastructure";
}

absl::Status WithClass(absl::Status status, FailureClass failure_class) {
  if (!status.ok()) status.SetPayload(kPayload, absl::Cord(FailureClassName(failure_class)));
  return status;
}

FailureClass ClassOf(const absl::Status& status) {
  if (const auto mark = status.GetPayload(kPayload)) {
    for (const FailureClass candidate : kClasses) {
      if (*mark == FailureClassName(candidate)) return candidate;
    }
  }
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      // RESOURCE_EXHAUSTED may also mean a full disk.
      return absl::StartsWith(status.message(), "out of memory") ? FailureClass::kOutOfMemory
                                                                 : FailureClass::kInfrastructure;
    case absl::StatusCode::kInternal:
      // libtorch would fail again on the same input. A device may recover.
      return absl::StrContains(status.message(), "libtorch: ") &&
                     !absl::StrContains(status.message(), "CUDA")
                 ? FailureClass::kData
                 : FailureClass::kInfrastructure;
    case absl::StatusCode::kInvalidArgument:
      return FailureClass::kUser;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
      return FailureClass::kData;
    default:
      return FailureClass::kInfrastructure;
  }
}

absl::Status CatchingExceptions(const std::function<absl::Status()>& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    if (dynamic_cast<const std::bad_alloc*>(&error)) return OutOfMemory("an allocation failed");
    if (IsOutOfMemory(error)) return OutOfMemory(FirstLineOf(error));
    const bool torch = dynamic_cast<const c10::Error*>(&error) != nullptr;
    return WithClass(
        absl::InternalError(absl::StrCat(torch ? "libtorch: " : "", FirstLineOf(error))),
        FailureClass::kData);
  }
}

}  // namespace mozgach
