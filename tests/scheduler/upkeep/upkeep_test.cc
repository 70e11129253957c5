// Garbage is collected while people submit and workers work.
#include "scheduler/upkeep/upkeep.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "mozgach/v1/upkeep_service.grpc.pb.h"
#include "scheduler/upkeep/backup.h"
#include "tests/invariants/invariants.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UpkeepTest : public Service {
 protected:
  fs::path Data() const { return directory_.path() / "data"; }
  fs::path BlobOf(const std::string& bytes) const {
    const std::string sha256 = Sha256Hex(bytes);
    return Data() / "blobs" / sha256.substr(0, 2) / sha256;
  }
  static void MakeOld(const fs::path& path) {
    std::error_code gone;  // a collection may have been faster
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(24 * 30), gone);
  }
  v1::CollectGarbageResponse Collect(bool dry_run = false) {
    const auto stub = v1::UpkeepService::NewStub(channel_);
    DeadlineContext deadline;
    v1::CollectGarbageRequest request;
    request.set_dry_run(dry_run);
    request.set_actor("ann@executor");
    v1::CollectGarbageResponse response;
    const grpc::Status status = stub->CollectGarbage(deadline, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

TEST_F(UpkeepTest, DryRunOverGrpcSaysWhatGoesAndTheRealOneTakesIt) {
  PutBlob("nobody's");
  MakeOld(BlobOf("nobody's"));
  const v1::CollectGarbageResponse dry = Collect(true);
  ASSERT_EQ(dry.garbage_size(), 1);
  EXPECT_EQ(dry.garbage(0).kind(), "blob");
  EXPECT_EQ(dry.garbage(0).name(), Sha256Hex("nobody's"));
  EXPECT_EQ(dry.garbage(0).bytes(), 8u);
  EXPECT_TRUE(fs::exists(BlobOf("nobody's")));
  EXPECT_EQ(Collect().totals(0).count(), 1);
  EXPECT_FALSE(fs::exists(BlobOf("nobody's")));
  EXPECT_EQ(Collect().garbage_size(), 0);
}

TEST_F(UpkeepTest, RulesApplyThemselvesFromTimeToTime) {
  config_.retention_interval = Milliseconds(50);
  Start();
  PutBlob("nobody's");
  MakeOld(BlobOf("nobody's"));
  for (int tries = 0; tries < 200 && fs::exists(BlobOf("nobody's")); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_FALSE(fs::exists(BlobOf("nobody's")));
}

// Every dataset is as old as can be when it is named, and a collection is always under way: what a
// submit has taken is there, and what it has not it asks for.
TEST_F(UpkeepTest, NothingGoesThatASubmitHasNamed) {
  std::atomic<bool> over = false;
  std::atomic<int64_t> collected = 0;
  std::thread collector([&] {
    while (!over) {
      const v1::CollectGarbageResponse response = Collect();
      for (const v1::GarbageTotal& total : response.totals()) collected += total.count();
    }
  });
  int64_t asked_again = 0;
  for (int domain = 0; domain < 150; ++domain) {
    const std::string rows = absl::StrCat("rows ", domain);
    v1::SubmitRequest request;
    *request.add_domains() = Domain(absl::StrCat("domain-", domain), rows);
    v1::SubmitResponse response;
    do {
      MakeOld(BlobOf(rows));
      if (domain % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(domain % 10));
      DeadlineContext deadline;
      response.Clear();
      ASSERT_TRUE(jobs_->Submit(deadline, request, &response).ok());
      asked_again += response.missing_blobs_size();
      for (int missing = 0; missing < response.missing_blobs_size(); ++missing) PutBlob(rows);
    } while (response.missing_blobs_size() > 0);
  }
  over = true;
  collector.join();
  Collect();
  for (int domain = 0; domain < 150; ++domain) {
    EXPECT_TRUE(fs::exists(BlobOf(absl::StrCat("rows ", domain)))) << domain;
  }
  // Both sides have won now and then, so that something was tried.
  EXPECT_GT(asked_again, 0);
  EXPECT_GE(collected, asked_again);
}

TEST_F(UpkeepTest, VersionsGoWhileOthersArePublishedAndAliasesMove) {
  config_.versions_kept = 1;
  Start();
  std::atomic<bool> over = false;
  std::thread collector([&] {
    while (!over) Collect();
  });
  TestWorker alpha("alpha");
  for (int change = 1; change <= 30; ++change) {
    SubmitOne("law", absl::StrCat("rows ", change));
    RunOne(alpha, absl::StrCat("tensors ", change));
    DeadlineContext deadline;
    v1::SetAliasRequest request;
    request.set_domain("law");
    request.set_alias("champion");
    request.set_version("latest");
    v1::Version version;
    const grpc::Status status = registry_->SetAlias(deadline, request, &version);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(version.version(), absl::StrCat("v00", change < 10 ? "0" : "", change));
  }
  over = true;
  collector.join();
  Collect();
  EXPECT_TRUE(fs::is_directory(Data() / "registry/adapters/law/champion/"));
  EXPECT_EQ(fs::read_symlink(Data() / "registry/adapters/law/champion"), "v0030");
  EXPECT_FALSE(fs::exists(Data() / "registry/adapters/law/v0029"));
  const auto database = Database::OpenToRead((Data() / kDatabaseName).string());
  EXPECT_THAT(Invariants(Data() / "registry", {.back_off_ms = 0}).Check(**database), IsEmpty());
  EXPECT_FALSE(
      CheckConsistencyTwice({.data = Data(), .deep = true}, Clock::System()).HasProblems());
}

}  // namespace
}  // namespace mozgach
