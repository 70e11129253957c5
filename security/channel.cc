#include "security/channel.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "absl/strings/str_cat.h"
#include "security/address.h"
#include "security/credentials_folder.h"
#include "security/token.h"

namespace mozgach {
namespace {

constexpr unsigned kLookEverySeconds = 1;

absl::Status CheckPlaintext(const SchedulerEndpoint& endpoint) {
  if (IsLocalAddress(endpoint.address)) return absl::OkStatus();
  if (!endpoint.token.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a token is not sent to ", endpoint.address,
                     " without TLS, where anybody on the way could read it: give --tls DIR with "
                     "the fleet's ca.pem in it"));
  }
  if (endpoint.insecure_plaintext) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      endpoint.address,
      " is another host, and nothing would protect what is said on the way: give "
      "--tls DIR with what `mozgachctl fleet` made for you, or say --insecure-plaintext"));
}

std::shared_ptr<grpc::ChannelCredentials> TlsCredentials(const CredentialsFolder& folder) {
  using grpc::experimental::FileWatcherCertificateProvider;
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (folder.has_certificate()) {
    options.set_certificate_provider(std::make_shared<FileWatcherCertificateProvider>(
        folder.key().string(), folder.certificate().string(), folder.authority().string(),
        kLookEverySeconds));
    options.watch_identity_key_cert_pairs();
  } else {
    options.set_certificate_provider(std::make_shared<FileWatcherCertificateProvider>(
        folder.authority().string(), kLookEverySeconds));
  }
  options.watch_root_certs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsFor(
    const SchedulerEndpoint& endpoint) {
  RETURN_IF_ERROR(CheckAddress(endpoint.address, 1));
  if (endpoint.tls.empty() || IsUnixAddress(endpoint.address)) {
    RETURN_IF_ERROR(CheckPlaintext(endpoint));
    return grpc::InsecureChannelCredentials();
  }
  ASSIGN_OR_RETURN(const CredentialsFolder folder, CredentialsFolder::Open(endpoint.tls));
  std::string token = endpoint.token;
  if (token.empty() && folder.has_token()) {
    ASSIGN_OR_RETURN(token, ReadTokenFile(folder.token()));
  }
  if (token.empty() && !folder.has_certificate()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is neither certificate.pem nor a token in ", endpoint.tls.string(),
                     ", and MOZGACH_TOKEN is empty: a caller needs one of them"));
  }
  std::shared_ptr<grpc::ChannelCredentials> tls = TlsCredentials(folder);
  if (token.empty()) return tls;
  RETURN_IF_ERROR(NameInToken(token).status());
  return grpc::CompositeChannelCredentials(tls, grpc::AccessTokenCredentials(token));
}

}  // namespace mozgach
