#include "security/grpc_log.h"

#include <grpc/support/log.h>

#include <cstdlib>

#include "common/log.h"

namespace mozgach {

bool UserWantsGrpcLog() {
  const char* verbosity = std::getenv("GRPC_VERBOSITY");
  return verbosity != nullptr && *verbosity != '\0';
}

void RouteGrpcLog() {
  if (UserWantsGrpcLog()) return;
  gpr_set_log_function([](gpr_log_func_args* line) { spdlog::debug("grpc: {}", line->message); });
}

}  // namespace mozgach
