// Probes an address, to explain to a person why a call was not answered there.
#pragma once

#include <string>

#include "common/clock.h"

namespace mozgach {

enum class EndpointState {
  kSpeaksGrpc,  // a gRPC server without TLS answered
  kEndsCall,  // something took the connection and refused plaintext gRPC: TLS, or another protocol
  kHangs,     // something took the connection and said nothing: a program that is stopped or stuck
  kRefuses,   // the host is there, and nobody listens
  kNoHost,    // the name does not exist
  kSilent,    // no connection within the timeout
};

// Connects, sends the first bytes of a plaintext gRPC call, waits for the first bytes of an answer,
// and hangs up.  REQUIRES: CheckAddress(address, 1).  Looking up a host's name takes as long as the
// system's resolver does; the rest takes twice `timeout` at most for each address of the name.
EndpointState ProbeEndpoint(const std::string& address, Milliseconds timeout = Milliseconds(1000));

// True when connections to the address are refused, or its host does not exist: waiting does not
// help.
bool IsRefused(const std::string& address, Milliseconds timeout = Milliseconds(200));

}  // namespace mozgach
