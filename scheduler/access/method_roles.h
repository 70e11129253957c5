// The table of which role may call which method. A method that is not in it cannot be called.
#pragma once

#include <string_view>

#include "common/status.h"
#include "security/identity.h"

namespace mozgach {

struct MethodRoles {
  const char* path;  // "/mozgach.v1.JobService/Submit"
  Role least;        // people need this role or one above it; kWorker: no person may
  bool workers;      // workers may, too
};

// Null where there is none.
const MethodRoles* FindMethodRoles(std::string_view path);

// PERMISSION_DENIED says which role it takes.
absl::Status CheckMayCall(Role role, std::string_view path);

}  // namespace mozgach
