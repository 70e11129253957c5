// A CertificateWatch offers the certificate of a CredentialsFolder and keeps offering the last
// valid one while the folder is invalid: a half-copied certificate, or a key that does not match,
// must not lock everybody out.
//
// It checks the folder every second. It offers files in memory, because gRPC reads files by itself.
// A set of three files is replaced only by a complete one. A problem that two checks find is logged
// once, with the file's name and what to do.
//
// It must outlive the readers of those files.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "common/files.h"
#include "common/status.h"

namespace mozgach {

class CertificateWatch {
 public:
  // Errors of CredentialsFolder::Open.  REQUIRES: there is a certificate in it (listener.cc looks).
  static absl::StatusOr<std::unique_ptr<CertificateWatch>> Start(
      const std::filesystem::path& folder);
  ~CertificateWatch();
  CertificateWatch(const CertificateWatch&) = delete;

  std::string authority() const { return PathOf(0); }
  std::string certificate() const { return PathOf(1); }
  std::string key() const { return PathOf(2); }

 private:
  using Pems = std::array<std::string, 3>;  // authority, certificate, key

  explicit CertificateWatch(std::filesystem::path folder) : folder_(std::move(folder)) {}
  absl::StatusOr<Pems> Read() const;
  absl::Status Check(const Pems& pems) const;
  absl::Status Offer(const Pems& pems);
  void Look();
  void Run(std::stop_token stop);
  std::string PathOf(size_t which) const;

  const std::filesystem::path folder_;
  std::array<FileDescriptor, 3> offered_;
  Pems pems_;            // what is offered
  std::string problem_;  // what the last look found wrong; empty: nothing
  bool told_ = false;    // problem_ was logged
  std::jthread thread_;
};

}  // namespace mozgach
