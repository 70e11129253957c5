// What gRPC itself writes to stderr.
#pragma once

namespace mozgach {

// True when GRPC_VERBOSITY is set: then the lines of gRPC are shown as gRPC writes them.
bool UserWantsGrpcLog();

// Sends the lines of gRPC to the program's log at level debug: what a user needs to know of them is
// in the error that follows.  Does nothing when UserWantsGrpcLog().  Call it first in main.
void RouteGrpcLog();

}  // namespace mozgach
