#include "security/credentials_folder.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "security/certificate.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kPemBytesMax = 1 << 20;

}  // namespace

absl::Status CheckOwnerOnly(const fs::path& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) {
    return SystemError(errno, absl::StrCat("look at ", path.string()));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), " is not a file"));
  }
  if ((info.st_mode & 077) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path.string(),
                                                 " can be read by others than its owner: "
                                                 "chmod 600 ",
                                                 path.string()));
}

absl::StatusOr<CredentialsFolder> CredentialsFolder::Open(const fs::path& folder) {
  CredentialsFolder opened(folder);
  std::error_code error;
  if (!fs::exists(opened.authority(), error)) {
    return absl::NotFoundError(absl::StrCat(
        "there is no ", opened.authority().string(),
        "; a folder of --tls holds ca.pem and either certificate.pem with key.pem or a token: "
        "`mozgachctl fleet init` makes such folders"));
  }
  ASSIGN_OR_RETURN(const std::string authority, ReadFile(opened.authority(), kPemBytesMax));
  RETURN_IF_ERROR(Annotate(ReadCertificate(authority).status(), opened.authority().string()));
  opened.has_certificate_ = fs::exists(opened.certificate(), error);
  opened.has_token_ = fs::exists(opened.token(), error);
  if (opened.has_certificate_) RETURN_IF_ERROR(opened.CheckOwn());
  return opened;
}

absl::Status CredentialsFolder::CheckOwn() {
  RETURN_IF_ERROR(CheckOwnerOnly(key()));
  ASSIGN_OR_RETURN(const std::string authority_pem, ReadFile(authority(), kPemBytesMax));
  ASSIGN_OR_RETURN(const std::string own_pem, ReadFile(certificate(), kPemBytesMax));
  ASSIGN_OR_RETURN(const std::string key_pem, ReadFile(key(), kPemBytesMax));
  const absl::StatusOr<CertificateFacts> facts = ReadCertificate(own_pem);
  if (!facts.ok()) return Annotate(facts.status(), certificate().string());
  name_ = facts->common_name;
  serves_ = facts->serves;
  RETURN_IF_ERROR(Annotate(CheckKey(own_pem, key_pem), key().string()));
  RETURN_IF_ERROR(Annotate(CheckSigned(own_pem, authority_pem), certificate().string()));
  const WallTime now = Clock::System().Now();
  if (facts->not_after > now) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      certificate().string(), " expired at ", FormatTime(facts->not_after),
      "; where the fleet's "
      "authority is, `mozgachctl fleet ",
      serves_ ? "scheduler --host NAME" : "worker NAME", " --replace`",
      serves_ ? "" : " (of a person: `mozgachctl fleet user NAME --role ROLE --replace`)",
      " makes a new one; copy its folder here"));
}

}  // namespace mozgach
