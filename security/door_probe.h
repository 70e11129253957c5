// What is at an address, for a person whose program was not answered there: nothing is said to it.
#pragma once

#include <string>

#include "common/clock.h"

namespace mozgach {

enum class DoorState {
  kListens,  // somebody takes the connection; who, is not known
  kRefuses,  // the host is there, and nobody listens
  kSilent,   // neither within the patience, or there is no such host
};

// Connects once and hangs up.  REQUIRES: CheckAddress(address, 1).  Looking up a host's name takes
// as long as the system's resolver does; the rest takes `patience` at most.
DoorState LookAtDoor(const std::string& address, Milliseconds patience = Milliseconds(1000));

}  // namespace mozgach
