// The FleetFolder holds a fleet's authority and the certificates it has issued. There is one folder
// for each program or person, to be copied to its machine and passed to --tls.
//
//   DIR/ca.pem, DIR/ca.key     the authority; ca.key can issue any identity: keep it off the hosts
//   DIR/issued.jsonl           the issued certificates: issue_log.h
//   DIR/NAME/                  credentials_folder.h
//
// All files are readable by their owner only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "security/certificate_authority.h"

namespace mozgach {

class FleetFolder {
 public:
  // Name of the scheduler's folder. Workers and users cannot have this name.
  static constexpr char kScheduler[] = "scheduler";

  // Creates the authority. FAILED_PRECONDITION if one exists.
  static absl::StatusOr<FleetFolder> Make(const std::filesystem::path& folder, WallTime now);
  // Opens an existing authority. NOT_FOUND, with advice, if it does not exist.
  static absl::StatusOr<FleetFolder> Open(const std::filesystem::path& folder);

  // Write a certificate and return its folder. FAILED_PRECONDITION if it exists and `replace` is
  // not set.
  absl::StatusOr<std::filesystem::path> IssueForScheduler(const std::vector<std::string>& hosts,
                                                          WallTime now, int days, bool replace);
  absl::StatusOr<std::filesystem::path> IssueFor(Role role, const std::string& name, WallTime now,
                                                 int days, bool replace);

 private:
  FleetFolder(std::filesystem::path folder, KeyAndCertificate authority)
      : folder_(std::move(folder)), authority_(std::move(authority)) {}

  absl::StatusOr<std::filesystem::path> Write(const std::string& name,
                                              const KeyAndCertificate& issued);
  absl::Status CheckFree(const std::string& name, bool replace) const;

  std::filesystem::path folder_;
  KeyAndCertificate authority_;
};

}  // namespace mozgach
