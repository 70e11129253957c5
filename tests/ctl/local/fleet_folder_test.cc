#include "ctl/local/fleet_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/files.h"
#include "ctl/local/issue_log.h"
#include "security/certificate.h"
#include "security/credentials_folder.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FleetFolderTest : public ::testing::Test {
 protected:
  const TemporaryDirectory directory_;
  const fs::path dir_ = directory_.path() / "fleet";
  const WallTime now_ = Clock::System().Now();
};

TEST_F(FleetFolderTest, WhatItMakesOpensAndIsItsOwnersOnly) {
  auto fleet = FleetFolder::Make(dir_, now_);
  ASSERT_TRUE(fleet.ok()) << fleet.status();
  const auto scheduler = fleet->IssueForScheduler({"gpu1", "10.0.0.1"}, now_, 30, false);
  const auto worker = fleet->IssueFor(Role::kWorker, "alpha", now_, 30, false);
  for (const auto& folder : {scheduler, worker}) {
    ASSERT_TRUE(folder.ok()) << folder.status();
    const auto opened = CredentialsFolder::Open(*folder);
    EXPECT_TRUE(opened.ok()) << opened.status();
  }
  for (const auto& entry : fs::recursive_directory_iterator(dir_)) {
    struct stat info;
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 077, 0u) << entry.path();
  }
}

TEST_F(FleetFolderTest, NothingIsWrittenOverUnlessSaidSo) {
  ASSERT_TRUE(FleetFolder::Make(dir_, now_).ok());
  EXPECT_EQ(FleetFolder::Make(dir_, now_).status().code(), absl::StatusCode::kFailedPrecondition);
  auto fleet = FleetFolder::Open(dir_);
  ASSERT_TRUE(fleet.ok()) << fleet.status();
  ASSERT_TRUE(fleet->IssueFor(Role::kWorker, "alpha", now_, 30, false).ok());
  const std::string before = *ReadFile(dir_ / "alpha/certificate.pem");
  EXPECT_EQ(fleet->IssueFor(Role::kWorker, "alpha", now_, 30, false).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*ReadFile(dir_ / "alpha/certificate.pem"), before);
  ASSERT_TRUE(fleet->IssueFor(Role::kWorker, "alpha", now_, 30, true).ok());
  EXPECT_NE(*ReadFile(dir_ / "alpha/certificate.pem"), before);
}

TEST_F(FleetFolderTest, NamesAreNoPathsAndTheSchedulersIsItsOwn) {
  auto fleet = FleetFolder::Make(dir_, now_);
  for (const std::string& name :
       {std::string("scheduler"), std::string("../alpha"), std::string("/tmp/alpha"), std::string(),
        std::string("a\nb"), std::string(10000, 'a')}) {
    EXPECT_FALSE(fleet->IssueFor(Role::kWorker, name, now_, 30, true).ok()) << name.substr(0, 40);
  }
  EXPECT_FALSE(fs::exists(directory_.path() / "alpha"));
}

TEST_F(FleetFolderTest, RecordsEveryCertificateThatItIssues) {
  auto fleet = FleetFolder::Make(dir_, now_);
  const WallTime later = now_ + std::chrono::hours(1);
  ASSERT_TRUE(fleet->IssueFor(Role::kWorker, "alpha", now_, 30, false).ok());
  ASSERT_FALSE(fleet->IssueFor(Role::kWorker, "alpha", later, 30, false).ok());
  ASSERT_TRUE(fleet->IssueFor(Role::kWorker, "alpha", later, 30, true).ok());
  EXPECT_EQ(*IssueTimes(dir_, "alpha"),
            (std::vector<WallTime>{FromMillis(ToMillis(now_)), FromMillis(ToMillis(later))}));
}

TEST_F(FleetFolderTest, WithoutAnAuthorityOneIsToldHowToMakeIt) {
  EXPECT_THAT(std::string(FleetFolder::Open(dir_).status().message()),
              HasSubstr("mozgachctl fleet init"));
}

}  // namespace
}  // namespace mozgach
