// Which role may call which method: one table, and what is not in it is nobody's.
#pragma once

#include <string_view>

#include "common/status.h"
#include "security/identity.h"

namespace mozgach {

struct MethodRoles {
  const char* path;  // "/mozgach.v1.JobService/Submit"
  Role least;        // of people: this role and those above it; kWorker: no person
  bool workers;      // workers may, too
};

// Null where there is none.
const MethodRoles* FindMethodRoles(std::string_view path);

// PERMISSION_DENIED says which role it takes.
absl::Status CheckMayCall(Role role, std::string_view path);

}  // namespace mozgach
