// An Identity is who calls: the name of a person, a program or a host, and the role it has.
//
// A certificate carries its identity in one URI among its alternative names, so that neither the
// order of a subject's parts nor another authority's habits decide who somebody is:
//
//   mozgach://worker/gpu-host-1?issued=1795297442118      milliseconds since 1970
#pragma once

#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"

namespace mozgach {

// A viewer reads, a submitter gives and takes back work, an operator runs the fleet; each may what
// those before it may.  A worker does what a worker does and nothing else.
enum class Role { kViewer, kSubmitter, kOperator, kWorker };

inline constexpr Role kRoles[] = {Role::kViewer, Role::kSubmitter, Role::kOperator, Role::kWorker};

const char* Name(Role role);
// INVALID_ARGUMENT names those there are.
absl::StatusOr<Role> RoleFrom(std::string_view name);

struct Identity {
  Role role = Role::kViewer;
  std::string name;
  WallTime issued{};
};

// OK for 1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit: what a
// certificate's name can hold, and a worker's.
absl::Status CheckIdentityName(std::string_view name);

std::string UriOf(const Identity& identity);
// INVALID_ARGUMENT for anything but what UriOf makes.
absl::StatusOr<Identity> IdentityFromUri(std::string_view uri);

}  // namespace mozgach
