// How a service answers a call that has one answer.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <string>
#include <utility>

#include "common/utf8.h"
#include "proto/status_conversion.h"

namespace mozgach {

// A status travels in a header, whose size is bounded: longer messages are cut.
inline grpc::Status ToReply(const absl::Status& status) {
  constexpr size_t kMessageBytesMax = 2000;
  const std::string message(status.message());
  if (message.size() <= kMessageBytesMax) return ToGrpc(status);
  return ToGrpc(absl::Status(status.code(), Abbreviate(message, kMessageBytesMax)));
}

template <typename Response>
grpc::ServerUnaryReactor* ReplyWith(grpc::CallbackServerContext* context,
                                    absl::StatusOr<Response> answer, Response* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (answer.ok()) *response = *std::move(answer);
  reactor->Finish(ToReply(answer.status()));
  return reactor;
}

}  // namespace mozgach
