#include "scheduler/daemon/listener.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "security/address.h"
#include "security/credentials_folder.h"

namespace mozgach {
namespace {

constexpr unsigned kLookEverySeconds = 1;
constexpr mode_t kOthers = 0177;  // and no execution for the owner

// Who calls would refuse what was made for a worker or a person.
absl::Status CheckServes(const std::filesystem::path& tls, const CredentialsFolder& folder) {
  if (!folder.has_certificate()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are no certificate.pem and key.pem in ", tls.string(),
                     "; `mozgachctl fleet init --host NAME` makes them for a scheduler"));
  }
  if (folder.serves()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--tls ", tls.string(), " is what ", folder.name(),
      " calls a scheduler with, and every "
      "client would refuse it here: give a copy of the folder scheduler that `mozgachctl fleet "
      "init` made beside it; `mozgachctl fleet scheduler --host NAME` makes another"));
}

}  // namespace

absl::Status CheckListen(const char* flag, const std::string& address, bool tls,
                         bool insecure_plaintext) {
  if (absl::Status status = CheckAddress(address, 0); !status.ok()) return Annotate(status, flag);
  if (tls || insecure_plaintext || IsLocalAddress(address)) return absl::OkStatus();
  const bool is_web = std::string(flag) == "--http";
  return absl::InvalidArgumentError(absl::StrCat(
      flag, " ", address, " can be reached by other hosts, and anybody there could ",
      is_web ? "read how many jobs and workers there are: listen on 127.0.0.1"
             : "give orders: give --tls DIR (`mozgachctl fleet init` makes one), listen on "
               "127.0.0.1 or unix:PATH",
      ", or say --insecure-plaintext"));
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> CredentialsToListen(
    const std::string& address, const std::filesystem::path& tls, Authenticator& authenticator,
    std::unique_ptr<CertificateWatch>& watch) {
  if (tls.empty() || IsUnixAddress(address)) return grpc::InsecureServerCredentials();
  ASSIGN_OR_RETURN(const CredentialsFolder folder, CredentialsFolder::Open(tls));
  RETURN_IF_ERROR(CheckServes(tls, folder));
  ASSIGN_OR_RETURN(watch, CertificateWatch::Start(tls));
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          watch->key(), watch->certificate(), watch->authority(), kLookEverySeconds));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  // Who has a token may come without a certificate; one that is shown must be the fleet's.
  options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  auto credentials = grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(MakeAuthProcessor(authenticator));
  return credentials;
}

OwnerOnly::OwnerOnly() : before_(::umask(kOthers)) {}

OwnerOnly::~OwnerOnly() { ::umask(before_); }

absl::Status CheckSocketFree(const std::string& address) {
  const std::string path = SocketPath(address);
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SystemError(errno, "make a socket");
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  std::memcpy(peer.sun_path, path.data(), path.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) != 0) {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0 || S_ISSOCK(info.st_mode)) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "what lies at ", path, " is not a socket; move it away, or choose another path"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("somebody listens on ", path, " already; choose another path"));
}

}  // namespace mozgach
