#include "security/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <vector>

#include "security/openssl_objects.h"

namespace mozgach {
namespace {

// Somebody who reads a key from a terminal would hang a daemon: an encrypted one is refused.
int NoPassword(char*, int, int, void*) { return -1; }

X509Ptr NextCertificate(BIO* bio) {
  X509Ptr certificate(PEM_read_bio_X509(bio, nullptr, NoPassword, nullptr));
  ERR_clear_error();
  return certificate;
}

absl::StatusOr<X509Ptr> FirstCertificate(const std::string& pem) {
  X509Ptr certificate = NextCertificate(ReadFrom(pem).get());
  if (certificate != nullptr) return certificate;
  return absl::InvalidArgumentError("there is no certificate in PEM form");
}

WallTime TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime();
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

absl::StatusOr<CertificateFacts> ReadCertificate(const std::string& pem) {
  ASSIGN_OR_RETURN(const X509Ptr certificate, FirstCertificate(pem));
  CertificateFacts facts;
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                            sizeof(name));
  facts.common_name = name;
  facts.not_before = TimeOf(X509_get0_notBefore(certificate.get()));
  facts.not_after = TimeOf(X509_get0_notAfter(certificate.get()));
  facts.serves = X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_SERVER, 0) == 1;
  return facts;
}

absl::Status CheckKey(const std::string& certificate_pem, const std::string& key_pem) {
  ASSIGN_OR_RETURN(const X509Ptr certificate, FirstCertificate(certificate_pem));
  const KeyPtr key(PEM_read_bio_PrivateKey(ReadFrom(key_pem).get(), nullptr, NoPassword, nullptr));
  const bool matches = key != nullptr && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (matches) return absl::OkStatus();
  return absl::InvalidArgumentError(
      key == nullptr ? "there is no private key without a password in PEM form"
                     : "this is the key of another certificate than the one beside it");
}

absl::Status CheckSigned(const std::string& certificate_pem, const std::string& authority_pem) {
  ASSIGN_OR_RETURN(const X509Ptr certificate, FirstCertificate(certificate_pem));
  const BioPtr bio = ReadFrom(authority_pem);
  for (X509Ptr ca = NextCertificate(bio.get()); ca != nullptr; ca = NextCertificate(bio.get())) {
    const bool is_signed = X509_verify(certificate.get(), X509_get0_pubkey(ca.get())) == 1;
    ERR_clear_error();
    if (is_signed) return absl::OkStatus();
  }
  return absl::InvalidArgumentError("it was not signed by the authority in ca.pem beside it");
}

}  // namespace mozgach
