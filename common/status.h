// Errors are values: absl::Status with the codes gRPC uses, from the place they arise to the person
// who reads them.  A message says where, what, and what to try.
//
//   INVALID_ARGUMENT     what a person wrote is wrong: a domain file, a flag, a dataset row
//   NOT_FOUND            a file, base, job or version that does not exist
//   FAILED_PRECONDITION  right in itself, not in this state (a cancelled job, a full directory)
//   RESOURCE_EXHAUSTED   memory, disk or a bound of ours is used up
//   DATA_LOSS            bytes that do not match their digest or their format
//   UNAVAILABLE          try again later: the other side does not answer
#pragma once

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mozgach {

// `status` with "context: " before its message, payloads kept; OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

// 0 done, 1 the work failed, 2 the command line or a file is wrong.
int ExitCode(const absl::Status& status);

// The status for a failed system call: `action` is what was tried ("open /x/y"), `error` is errno.
// ENOSPC and EDQUOT become RESOURCE_EXHAUSTED, ENOENT becomes NOT_FOUND.
absl::Status SystemError(int error, std::string_view action);

}  // namespace mozgach

#define MOZGACH_CONCAT_INNER(a, b) a##b
#define MOZGACH_CONCAT(a, b) MOZGACH_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expression` is not OK.
#define RETURN_IF_ERROR(expression)                                                     \
  do {                                                                                  \
    if (absl::Status status_of_expression = (expression); !status_of_expression.ok()) { \
      return status_of_expression;                                                      \
    }                                                                                   \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): x is F()'s value, or its status is returned.
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(MOZGACH_CONCAT(status_or_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                   \
  if (!temporary.ok()) return std::move(temporary).status();       \
  declaration = *std::move(temporary)
