#include "security/certificate_authority.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/pem.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "security/openssl_objects.h"

namespace mozgach {
namespace {

constexpr auto kBackdated = std::chrono::hours(1);
constexpr int kSerialBits = 127;
constexpr size_t kCommonNameMax = 64;

struct Request {
  std::string common_name;
  std::vector<std::pair<int, std::string>> extensions;  // NID and OpenSSL's text for it
  WallTime now{};
  int days = 0;
};

struct Signer {
  KeyPtr key;
  X509Ptr certificate;
};

absl::Status SetTimes(X509& certificate, const Request& request) {
  const std::time_t from = std::chrono::system_clock::to_time_t(request.now - kBackdated);
  const std::time_t to =
      std::chrono::system_clock::to_time_t(request.now + std::chrono::hours(24) * request.days);
  if (ASN1_TIME_set(X509_getm_notBefore(&certificate), from) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(&certificate), to) == nullptr) {
    return OpenSslError("set the time of a certificate");
  }
  return absl::OkStatus();
}

absl::Status SetSerial(X509& certificate) {
  const std::unique_ptr<BIGNUM, Freed<BN_free>> serial(BN_new());
  if (serial == nullptr ||
      BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(&certificate)) == nullptr) {
    return OpenSslError("number a certificate");
  }
  return absl::OkStatus();
}

absl::Status SetExtensions(X509& certificate, X509* issuer, const Request& request) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, &certificate, nullptr, nullptr, 0);
  for (const auto& [nid, text] : request.extensions) {
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, text.c_str()));
    if (extension == nullptr || X509_add_ext(&certificate, extension.get(), -1) != 1) {
      return OpenSslError(absl::StrCat("write '", text, "' into a certificate"));
    }
  }
  return absl::OkStatus();
}

// Without a signer it signs itself.
absl::StatusOr<KeyAndCertificate> Make(const Request& request, const Signer* signer) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  if (key == nullptr || certificate == nullptr) return OpenSslError("make a key");
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509* issuer = signer == nullptr ? certificate.get() : signer->certificate.get();
  const auto* name = reinterpret_cast<const unsigned char*>(request.common_name.data());
  if (X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate.get(), key.get()) != 1 ||
      X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, name,
                                 static_cast<int>(request.common_name.size()), -1, 0) != 1 ||
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer)) != 1) {
    return OpenSslError(absl::StrCat("name a certificate '", request.common_name, "'"));
  }
  RETURN_IF_ERROR(SetSerial(*certificate));
  RETURN_IF_ERROR(SetTimes(*certificate, request));
  RETURN_IF_ERROR(SetExtensions(*certificate, issuer, request));
  EVP_PKEY* signing = signer == nullptr ? key.get() : signer->key.get();
  if (X509_sign(certificate.get(), signing, EVP_sha256()) == 0) {
    return OpenSslError("sign a certificate");
  }
  const BioPtr key_pem(BIO_new(BIO_s_mem())), pem(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1 ||
      PEM_write_bio_X509(pem.get(), certificate.get()) != 1) {
    return OpenSslError("write a certificate");
  }
  const auto text = [](BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    return std::string(bytes, static_cast<size_t>(size));
  };
  return KeyAndCertificate{text(key_pem.get()), text(pem.get())};
}

absl::StatusOr<Signer> ReadSigner(const KeyAndCertificate& authority) {
  Signer signer{
      KeyPtr(PEM_read_bio_PrivateKey(ReadFrom(authority.key_pem).get(), nullptr, nullptr, nullptr)),
      X509Ptr(
          PEM_read_bio_X509(ReadFrom(authority.certificate_pem).get(), nullptr, nullptr, nullptr))};
  ERR_clear_error();
  if (signer.key == nullptr || signer.certificate == nullptr ||
      X509_check_private_key(signer.certificate.get(), signer.key.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("ca.key is not the key of ca.pem");
  }
  return signer;
}

// "DNS:name" or "IP:address".  Nothing else can get into the list of names.
absl::StatusOr<std::string> AlternativeName(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  if (::inet_pton(AF_INET, host.c_str(), address) == 1 ||
      ::inet_pton(AF_INET6, host.c_str(), address) == 1) {
    return absl::StrCat("IP:", host);
  }
  const auto plain = [](char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-'; };
  if (!host.empty() && host.size() <= 253 && absl::ascii_isalnum(host[0]) &&
      std::all_of(host.begin(), host.end(), plain)) {
    return absl::StrCat("DNS:", host);
  }
  return absl::InvalidArgumentError(absl::StrCat("'", absl::CHexEscape(host.substr(0, 80)),
                                                 "' is neither a host's name nor an IP address"));
}

std::vector<std::pair<int, std::string>> ExtensionsOfEnd(const std::string& purpose,
                                                         const std::string& names) {
  return {{NID_basic_constraints, "critical,CA:FALSE"},
          {NID_key_usage, "critical,digitalSignature"},
          {NID_ext_key_usage, purpose},
          {NID_subject_key_identifier, "hash"},
          {NID_authority_key_identifier, "keyid:always"},
          {NID_subject_alt_name, names}};
}

}  // namespace

absl::StatusOr<KeyAndCertificate> MakeAuthority(const std::string& name, WallTime now, int days) {
  return Make({.common_name = name,
               .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                              {NID_key_usage, "critical,keyCertSign,cRLSign"},
                              {NID_subject_key_identifier, "hash"}},
               .now = now,
               .days = days},
              nullptr);
}

absl::StatusOr<KeyAndCertificate> IssueForHosts(const KeyAndCertificate& authority,
                                                const std::vector<std::string>& hosts, WallTime now,
                                                int days) {
  if (hosts.empty()) return absl::InvalidArgumentError("a certificate for no host");
  std::vector<std::string> names;
  for (const std::string& host : hosts) {
    ASSIGN_OR_RETURN(names.emplace_back(), AlternativeName(host));
  }
  ASSIGN_OR_RETURN(const Signer signer, ReadSigner(authority));
  return Make({.common_name = hosts.front().substr(0, kCommonNameMax),
               .extensions = ExtensionsOfEnd("serverAuth", absl::StrJoin(names, ",")),
               .now = now,
               .days = days},
              &signer);
}

absl::StatusOr<KeyAndCertificate> IssueForCaller(const KeyAndCertificate& authority, Role role,
                                                 const std::string& name, WallTime now, int days) {
  RETURN_IF_ERROR(CheckIdentityName(name));
  ASSIGN_OR_RETURN(const Signer signer, ReadSigner(authority));
  const std::string uri = UriOf({.role = role, .name = name, .issued = now});
  return Make({.common_name = name,
               .extensions = ExtensionsOfEnd("clientAuth", absl::StrCat("URI:", uri)),
               .now = now,
               .days = days},
              &signer);
}

}  // namespace mozgach
