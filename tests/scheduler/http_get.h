// The health of a scheduler as a monitor asks for it: over HTTP and over gRPC.
#pragma once

#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/files.h"

namespace mozgach {

// The whole answer to a GET, headers included.
inline std::string HttpGet(const std::string& address, const std::string& path) {
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&peer), sizeof(peer)) != 0) return "";
  const std::string request =
      absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  if (::write(fd.get(), request.data(), request.size()) < 0) return "";
  std::string answer;
  char buffer[4096];
  for (ssize_t got; (got = ::read(fd.get(), buffer, sizeof(buffer))) > 0;) {
    answer.append(buffer, static_cast<size_t>(got));
  }
  return answer;
}

// The status that grpc.health.v1 gives: 1 SERVING, 2 NOT_SERVING; 0: no answer.
inline int GrpcHealth(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const grpc::Slice empty("");
  const grpc::ByteBuffer everything(&empty, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> checked;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &everything, &response,
                 [&](grpc::Status status) { checked.set_value(status); });
  grpc::Slice slice;
  if (!checked.get_future().get().ok() || !response.DumpToSingleSlice(&slice).ok()) return 0;
  // Field 1 of HealthCheckResponse, a varint.
  return slice.size() == 2 && slice.begin()[0] == 0x08 ? slice.begin()[1] : 0;
}

}  // namespace mozgach
