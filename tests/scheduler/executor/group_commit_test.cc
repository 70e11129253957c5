// Nobody hears of what is not on disk, and one sync is for all who came meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "failpoint/failpoint.h"
#include "registry/migration.h"
#include "scheduler/executor/core_executor.h"
#include "scheduler/state/schema.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSync(300);

// A scheduler on a disk, without its services.
class GroupCommitTest : public ::testing::Test {
 protected:
  GroupCommitTest() {
    database_ = Database::Open((directory_.path() / "mozgach.db").string()).value();
    EXPECT_TRUE(Migrate(*database_, Schema()).ok());
    blobs_ = std::make_unique<BlobStore>(directory_.path() / "blobs", 1 << 20);
    EXPECT_TRUE(blobs_->Open().ok());
    adapters_ = std::make_unique<AdapterStore>(*database_, directory_.path() / "registry");
    core_ = std::make_unique<Core>(SchedulerConfig(), *database_, *blobs_, *adapters_);
    EXPECT_TRUE(core_->Recover(Now::Of(Clock::System())).ok());
    EXPECT_TRUE(database_->Sync().ok());
  }
  ~GroupCommitTest() override {
    executor_.reset();
    EXPECT_TRUE(ArmFailpoints("").ok());
  }

  // What a sync does, or how long it takes, from now on.
  void Open(const std::string& action) {
    EXPECT_TRUE(ArmFailpoints("registry.database.sync=" + action).ok());
    executor_ = std::make_unique<CoreExecutor>(*core_, Clock::System());
    Read();  // what the start has written is synced
  }
  bool Write() {
    return executor_->Run([](Core& core, const Now& now) {
      return core.state().events.Append({.time = now.wall, .kind = "test", .actor = "test"}).ok();
    });
  }
  size_t Read() {
    return executor_->Run(
        [](Core& core, const Now&) { return core.state().worker_table.workers().size(); });
  }
  template <typename Work>
  static milliseconds Time(Work work) {
    const auto start = steady_clock::now();
    work();
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
  }
  int64_t syncs() const { return database_->log_sync().syncs(); }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<AdapterStore> adapters_;
  std::unique_ptr<Core> core_;
  std::unique_ptr<CoreExecutor> executor_;
};

TEST_F(GroupCommitTest, WhoWritesWaitsForTheDiskAndWhoReadsWaitsForWhatHeSees) {
  Open("delay(300)");
  std::future<milliseconds> writes =
      std::async(std::launch::async, [&] { return Time([&] { EXPECT_TRUE(Write()); }); });
  std::this_thread::sleep_for(kSync / 3);
  EXPECT_GT(Time([&] { Read(); }), kSync / 3) << "the row could still be lost";
  EXPECT_GE(writes.get(), kSync);
  const int64_t before = syncs();
  EXPECT_LT(Time([&] { Read(); }), kSync / 2);
  EXPECT_EQ(syncs(), before) << "nothing was written";
}

TEST_F(GroupCommitTest, OneSyncIsForAllWhoCameMeanwhile) {
  Open("delay(300)");
  const int64_t before = syncs();
  std::vector<std::future<bool>> writes;
  for (int i = 0; i < 20; ++i) {
    writes.push_back(std::async(std::launch::async, [&] { return Write(); }));
  }
  for (std::future<bool>& write : writes) EXPECT_TRUE(write.get());
  EXPECT_GE(syncs() - before, 1);
  EXPECT_LE(syncs() - before, 4);
}

TEST_F(GroupCommitTest, ADiskThatFailsEndsTheProcessBeforeAnybodyIsAnswered) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Open("error@2");
        Write();
        Write();
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(74), "");
}

}  // namespace
}  // namespace mozgach
