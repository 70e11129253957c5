// A CertificateWatch offers what lies in a CredentialsFolder, and goes on offering what it had
// while something is wrong there: half a copy of a certificate, or a key of another, must not lock
// everybody out.
//
// It looks every second.  What it offers are files in memory, because gRPC reads files by itself; a
// set of three is replaced by the next one only when that is whole.  What is wrong for two looks is
// logged, once, with the file's name and what to do.
//
// It outlives whoever reads those files.
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
  bool told_ = false;    // of problem_
  std::jthread thread_;
};

}  // namespace mozgach
