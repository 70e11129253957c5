#include "ctl/local/fleet_folder.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "ctl/local/issue_log.h"
#include "security/credentials_folder.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kPemBytesMax = 1 << 20;
constexpr int kAuthorityDays = 3650;

// Keys are nobody else's, not even for the moment in which they are written.
class Private {
 public:
  Private() : before_(::umask(077)) {}
  ~Private() { ::umask(before_); }

 private:
  const mode_t before_;
};

}  // namespace

absl::StatusOr<FleetFolder> FleetFolder::Make(const fs::path& folder, WallTime now) {
  const Private only_ours;
  std::error_code error;
  if (fs::exists(folder / "ca.key", error) || fs::exists(folder / "ca.pem", error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        folder.string(),
        " already holds a certificate authority; replacing it would invalidate its certificates: "
        "name another --dir, or use it with `mozgachctl fleet worker`, `user` and `scheduler`"));
  }
  ASSIGN_OR_RETURN(KeyAndCertificate authority,
                   MakeAuthority(absl::StrCat("mozgach fleet ", FormatTime(now).substr(0, 10)), now,
                                 kAuthorityDays));
  RETURN_IF_ERROR(MakeDirectories(folder));
  RETURN_IF_ERROR(WriteFileAtomically(folder / "ca.key", authority.key_pem));
  RETURN_IF_ERROR(WriteFileAtomically(folder / "ca.pem", authority.certificate_pem));
  return FleetFolder(folder, std::move(authority));
}

absl::StatusOr<FleetFolder> FleetFolder::Open(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / "ca.key", error)) {
    return absl::NotFoundError(absl::StrCat("there is no ", (folder / "ca.key").string(),
                                            "; `mozgachctl fleet init` makes an authority, --dir "
                                            "says where"));
  }
  RETURN_IF_ERROR(CheckOwnerOnly(folder / "ca.key"));
  KeyAndCertificate authority;
  ASSIGN_OR_RETURN(authority.key_pem, ReadFile(folder / "ca.key", kPemBytesMax));
  ASSIGN_OR_RETURN(authority.certificate_pem, ReadFile(folder / "ca.pem", kPemBytesMax));
  return FleetFolder(folder, std::move(authority));
}

absl::Status FleetFolder::CheckFree(const std::string& name, bool replace) const {
  std::error_code error;
  if (replace || !fs::exists(folder_ / name / "key.pem", error)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("there is a certificate in ", (folder_ / name).string(),
                   " already; --replace makes another, `mozgachctl fleet revoke` voids the old"));
}

absl::StatusOr<fs::path> FleetFolder::Write(const std::string& name,
                                            const KeyAndCertificate& issued) {
  const Private only_ours;
  const fs::path folder = folder_ / name;
  RETURN_IF_ERROR(MakeDirectories(folder));
  RETURN_IF_ERROR(WriteFileAtomically(folder / "ca.pem", authority_.certificate_pem));
  RETURN_IF_ERROR(WriteFileAtomically(folder / "key.pem", issued.key_pem));
  RETURN_IF_ERROR(WriteFileAtomically(folder / "certificate.pem", issued.certificate_pem));
  return folder;
}

absl::StatusOr<fs::path> FleetFolder::IssueForScheduler(const std::vector<std::string>& hosts,
                                                        WallTime now, int days, bool replace) {
  RETURN_IF_ERROR(CheckFree(kScheduler, replace));
  ASSIGN_OR_RETURN(const KeyAndCertificate issued, IssueForHosts(authority_, hosts, now, days));
  return Write(kScheduler, issued);
}

absl::StatusOr<fs::path> FleetFolder::IssueFor(Role role, const std::string& name, WallTime now,
                                               int days, bool replace) {
  RETURN_IF_ERROR(CheckIdentityName(name));
  if (name == kScheduler) {
    return absl::InvalidArgumentError("the name 'scheduler' is the scheduler's; choose another");
  }
  RETURN_IF_ERROR(CheckFree(name, replace));
  ASSIGN_OR_RETURN(const KeyAndCertificate issued,
                   IssueForCaller(authority_, role, name, now, days));
  // Before anybody can have it: a revocation must reach it.
  RETURN_IF_ERROR(RecordIssue(folder_, {.role = role, .name = name, .issued = now}));
  return Write(name, issued);
}

}  // namespace mozgach
