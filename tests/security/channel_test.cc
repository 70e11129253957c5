#include "security/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "security/certificate_authority.h"
#include "security/token.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

std::string Problem(const SchedulerEndpoint& endpoint) {
  return std::string(CredentialsFor(endpoint).status().message());
}

TEST(ChannelTest, PlaintextIsForThisMachineUnlessSaidSo) {
  EXPECT_EQ(Problem({.address = "127.0.0.1:7108"}), "");
  EXPECT_EQ(Problem({.address = "unix:/run/x.sock"}), "");
  EXPECT_THAT(Problem({.address = "gpu1:7108"}), HasSubstr("--tls DIR"));
  EXPECT_THAT(Problem({.address = "gpu1:7108"}), HasSubstr("--insecure-plaintext"));
  EXPECT_EQ(Problem({.address = "gpu1:7108", .insecure_plaintext = true}), "");
}

TEST(ChannelTest, ATokenGoesToNoOtherHostInPlaintext) {
  const std::string token = NewToken("alice");
  EXPECT_THAT(Problem({.address = "gpu1:7108", .token = token, .insecure_plaintext = true}),
              HasSubstr("a token is not sent"));
  EXPECT_EQ(Problem({.address = "127.0.0.1:7108", .token = token}), "");
}

TEST(ChannelTest, WithTlsThereMustBeSomethingToShow) {
  const TemporaryDirectory directory;
  const auto authority = MakeAuthority("fleet", Clock::System().Now(), 1);
  std::ofstream(directory.path() / "ca.pem") << authority->certificate_pem;
  const SchedulerEndpoint endpoint{.address = "gpu1:7108", .tls = directory.path()};
  EXPECT_THAT(Problem(endpoint), HasSubstr("neither certificate.pem nor a token"));
  SchedulerEndpoint with_token = endpoint;
  with_token.token = NewToken("alice");
  EXPECT_EQ(Problem(with_token), "");
  with_token.token = "a guess";
  EXPECT_THAT(Problem(with_token), HasSubstr("this is not a token"));
}

}  // namespace
}  // namespace mozgach
