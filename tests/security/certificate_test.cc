#include "security/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "security/certificate_authority.h"
#include "security/credentials_folder.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CertificateTest : public ::testing::Test {
 protected:
  KeyAndCertificate Worker(WallTime now, int days = 30) {
    return *IssueForCaller(authority_, Role::kWorker, "alpha", now, days);
  }
  void Write(const KeyAndCertificate& issued, const KeyAndCertificate& authority) {
    std::ofstream(folder() / "ca.pem") << authority.certificate_pem;
    std::ofstream(folder() / "certificate.pem") << issued.certificate_pem;
    std::ofstream(folder() / "key.pem") << issued.key_pem;
    ::chmod((folder() / "key.pem").c_str(), 0600);
  }
  std::string Problem() {
    return std::string(CredentialsFolder::Open(folder()).status().message());
  }
  const fs::path& folder() const { return directory_.path(); }

  const TemporaryDirectory directory_;
  const WallTime now_ = Clock::System().Now();
  const KeyAndCertificate authority_ = *MakeAuthority("fleet", now_, 3650);
  const KeyAndCertificate other_ = *MakeAuthority("other", now_, 3650);
};

TEST_F(CertificateTest, SaysWhomItIsForAndHowLong) {
  const auto facts = ReadCertificate(Worker(now_).certificate_pem);
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->common_name, "alpha");
  EXPECT_LE(facts->not_before, now_);
  EXPECT_NEAR(static_cast<double>(ToMillis(facts->not_after) - ToMillis(now_)), 30 * 86'400'000.0,
              2000.0);
}

TEST_F(CertificateTest, OnlyASchedulersServes) {
  EXPECT_FALSE(ReadCertificate(Worker(now_).certificate_pem)->serves);
  const KeyAndCertificate person = *IssueForCaller(authority_, Role::kOperator, "boss", now_, 5);
  EXPECT_FALSE(ReadCertificate(person.certificate_pem)->serves);
  const KeyAndCertificate scheduler = *IssueForHosts(authority_, {"127.0.0.1"}, now_, 5);
  EXPECT_TRUE(ReadCertificate(scheduler.certificate_pem)->serves);
}

TEST_F(CertificateTest, IsSignedByItsAuthorityOnly) {
  const KeyAndCertificate alpha = Worker(now_);
  EXPECT_TRUE(CheckSigned(alpha.certificate_pem, authority_.certificate_pem).ok());
  EXPECT_FALSE(CheckSigned(alpha.certificate_pem, other_.certificate_pem).ok());
  EXPECT_TRUE(
      CheckSigned(alpha.certificate_pem, other_.certificate_pem + authority_.certificate_pem).ok());
  EXPECT_TRUE(CheckKey(alpha.certificate_pem, alpha.key_pem).ok());
  EXPECT_FALSE(CheckKey(alpha.certificate_pem, other_.key_pem).ok());
  const KeyAndCertificate mixed{other_.key_pem, authority_.certificate_pem};
  EXPECT_FALSE(IssueForCaller(mixed, Role::kWorker, "alpha", now_, 1).ok());
}

TEST_F(CertificateTest, HostsThatAreNoneCannotWriteOtherNamesIn) {
  EXPECT_TRUE(IssueForHosts(authority_, {"gpu1.example.org", "10.0.0.1", "::1"}, now_, 1).ok());
  for (const std::string& host :
       {std::string(), std::string("a,URI:mozgach://operator/eve?issued=1"), std::string("a b"),
        std::string("a\nb"), std::string("*"), std::string("../x"), std::string(10000, 'a'),
        std::string("a\0b", 3)}) {
    EXPECT_FALSE(IssueForHosts(authority_, {host}, now_, 1).ok()) << host.substr(0, 60);
  }
  EXPECT_FALSE(IssueForHosts(authority_, {}, now_, 1).ok());
  EXPECT_FALSE(IssueForCaller(authority_, Role::kWorker, "a,DNS:b", now_, 1).ok());
}

TEST_F(CertificateTest, AFolderIsCheckedWhenItIsOpened) {
  EXPECT_THAT(Problem(), HasSubstr("there is no"));
  Write(Worker(now_), authority_);
  const auto opened = CredentialsFolder::Open(folder());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->name(), "alpha");
  EXPECT_FALSE(opened->has_token());

  ::chmod((folder() / "key.pem").c_str(), 0640);
  EXPECT_THAT(Problem(), HasSubstr("chmod 600"));
  Write(Worker(now_), other_);
  EXPECT_THAT(Problem(), HasSubstr("not signed by the authority"));
  Write({other_.key_pem, Worker(now_).certificate_pem}, authority_);
  EXPECT_THAT(Problem(), HasSubstr("key of another certificate"));
  Write(Worker(now_ - std::chrono::hours(48), 1), authority_);
  EXPECT_THAT(Problem(), HasSubstr("expired at"));
  std::ofstream(folder() / "ca.pem") << "no certificate";
  EXPECT_THAT(Problem(), HasSubstr("ca.pem"));
}

}  // namespace
}  // namespace mozgach
