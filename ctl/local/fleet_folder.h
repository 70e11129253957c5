// The FleetFolder is where a fleet's authority lies, and what it has made: one folder for each
// program or person, to be copied to its machine and named there with --tls.
//
//   DIR/ca.pem, DIR/ca.key     the authority; who has ca.key can be anybody: keep it off the hosts
//   DIR/issued.jsonl           what it has issued: issue_log.h
//   DIR/NAME/                  credentials_folder.h
//
// Everything in it is readable by its owner only.
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
  // The name of the scheduler's folder: no worker or user can have it.
  static constexpr char kScheduler[] = "scheduler";

  // Makes the authority.  FAILED_PRECONDITION: there is one.
  static absl::StatusOr<FleetFolder> Make(const std::filesystem::path& folder, WallTime now);
  // NOT_FOUND, with what to do, where there is none.
  static absl::StatusOr<FleetFolder> Open(const std::filesystem::path& folder);

  // Return the folder that was written.  FAILED_PRECONDITION: it is there, and `replace` not set.
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
