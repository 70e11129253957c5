// A TCP socket that listens.
#pragma once

#include <string>

#include "common/files.h"
#include "common/status.h"

namespace mozgach {

// Listens on `address`, HOST:PORT, without blocking.  INVALID_ARGUMENT: that is not possible.
absl::StatusOr<FileDescriptor> ListenOn(const std::string& address);

// `address` with the port that `listener` has.
std::string AddressWithPort(const std::string& address, int listener);

}  // namespace mozgach
