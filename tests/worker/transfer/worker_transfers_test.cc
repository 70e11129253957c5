// Datasets in and adapters out over lines that are cut, bytes that are damaged, and disks that are
// full.
#include "common/digest.h"
#include "common/files.h"
#include "tests/worker/worker_fixture.h"
#include "worker/transfer/dataset_cache.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using WorkerTransfersTest = WorkerFixture;

std::string Rows(int count) {
  std::string rows;
  for (int i = 0; i < count; ++i) rows += "{\"text\": \"row " + std::to_string(i) + "\"}\n";
  return rows;
}

TEST_F(WorkerTransfersTest, UploadGoesOnWhereTheLineWasCut) {
  scheduler_.CutUploadAfter(2'500'000);
  const int64_t job = scheduler_.Submit("one", {{"fake_bytes", "6000000"}});
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
  uint64_t latest = 0;
  for (uint64_t offset : scheduler_.upload_offsets()) latest = std::max(latest, offset);
  EXPECT_GE(latest, 2'500'000) << "what had arrived is not sent again";
}

TEST_F(WorkerTransfersTest, UploadSurvivesASchedulerThatDiesInTheMiddleOfIt) {
  const int64_t job = scheduler_.Submit("one", {{"fake_bytes", "40000000"}});
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitFor(job, [](const FakeJob& each) {
    return !each.phases.empty() && each.phases.back() == v1::AttemptReport::UPLOADING;
  }));
  scheduler_.TakeDown();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  scheduler_.BringUp();
  EXPECT_TRUE(scheduler_.WaitForState(job, "succeeded"));
  EXPECT_EQ(scheduler_.Job(job).attempt, 1);
}

TEST_F(WorkerTransfersTest, BlobsThatAreThereAreNotSentAgain) {
  const int64_t first = scheduler_.Submit("one", {});
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(first, "succeeded"));
  const int64_t second = scheduler_.Submit("one", {});
  ASSERT_TRUE(scheduler_.WaitForState(second, "succeeded"));
  const v1::Result result = scheduler_.Job(second).result;
  ASSERT_GT(result.files_size(), 0);
  for (const v1::File& file : result.files()) {
    EXPECT_EQ(scheduler_.uploads_of(file.sha256()), 1) << file.path();
  }
}

TEST_F(WorkerTransfersTest, DatasetIsFetchedOnceForAllJobs) {
  const std::string rows = Rows(5000);
  StartWorker();
  for (const char* domain : {"one", "two"}) {
    const int64_t job = scheduler_.Submit(domain, {}, "mozgach/tiny", rows);
    ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
    EXPECT_EQ(scheduler_.Job(job).result.train_rows(), 5000);
  }
  EXPECT_EQ(scheduler_.download_offsets(), std::vector<uint64_t>{0});
}

TEST_F(WorkerTransfersTest, DownloadGoesOnWhereTheLineWasCut) {
  scheduler_.CutDownloadAfter(20'000);
  const int64_t job = scheduler_.Submit("one", {}, "mozgach/tiny", Rows(5000));
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
  EXPECT_EQ(scheduler_.download_offsets(), (std::vector<uint64_t>{0, 20'000}));
  EXPECT_EQ(scheduler_.Job(job).result.train_rows(), 5000);
}

TEST_F(WorkerTransfersTest, CachedDatasetThatWasDamagedIsFetchedAgain) {
  const std::string rows = Rows(5000);
  const fs::path cached = folder_.path() / "data/datasets" / Sha256Hex(rows);
  StartWorker();
  const int64_t first = scheduler_.Submit("one", {}, "mozgach/tiny", rows);
  ASSERT_TRUE(scheduler_.WaitForState(first, "succeeded"));
  EXPECT_EQ(fs::status(cached).permissions(), fs::perms(0444));
  // The damaged file has the right size.  It is damaged while the worker runs, and while it is
  // stopped.
  for (const bool restarts : {false, true}) {
    if (restarts) StopWorker();
    fs::permissions(cached, fs::perms(0644));
    ASSERT_TRUE(WriteFileAtomically(cached, std::string(rows.size(), 'x')).ok());
    if (restarts) StartWorker();
    const int64_t job = scheduler_.Submit("two", {}, "mozgach/tiny", rows);
    ASSERT_TRUE(scheduler_.WaitForState(job, "succeeded"));
    EXPECT_EQ(scheduler_.Job(job).result.train_rows(), 5000);
    EXPECT_EQ(Sha256OfFile(cached).value(), Sha256Hex(rows));
  }
  EXPECT_EQ(scheduler_.download_offsets(), (std::vector<uint64_t>{0, 0, 0}));
}

TEST_F(WorkerTransfersTest, LeastRecentlyUsedDatasetsGoAboveTheBoundButNoneThatIsHeld) {
  const fs::path folder = folder_.path() / "cache";
  fs::create_directories(folder);
  SchedulerClient client(scheduler_.address());
  DatasetCache cache(folder, client, /*bytes_max=*/100'000);
  std::vector<v1::Dataset> sets;
  for (int i = 0; i < 3; ++i) {
    const int64_t job = scheduler_.Submit("one", {}, "mozgach/tiny", Rows(2000 + i));
    sets.push_back(scheduler_.Job(job).datasets.at(0));
    ASSERT_GT(sets.back().size(), 40'000u);
    ASSERT_LT(sets.back().size(), 50'000u);
  }
  const auto is_there = [&](int i) { return fs::exists(folder / sets[i].sha256()); };
  for (int i : {0, 1}) {
    ASSERT_TRUE(cache.Fetch({i, 1}, {sets[i]}, {}).ok());
    cache.Release({i, 1});
  }
  ASSERT_TRUE(cache.Fetch({3, 1}, {sets[0]}, {}).ok());  // used again, and held
  ASSERT_TRUE(cache.Fetch({4, 1}, {sets[2]}, {}).ok());
  EXPECT_TRUE(is_there(0));
  EXPECT_FALSE(is_there(1));
  EXPECT_TRUE(is_there(2));
  ASSERT_TRUE(cache.Fetch({5, 1}, {sets[1]}, {}).ok());
  EXPECT_TRUE(is_there(0) && is_there(1) && is_there(2)) << "all are held";
}

TEST_F(WorkerTransfersTest, DamagedDatasetFailsItsJobWithTheReason) {
  const std::string rows = Rows(50);
  const int64_t bad = scheduler_.Submit("bad", {}, "mozgach/tiny", rows);
  scheduler_.Damage(Sha256Hex(rows));
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitFor(bad, [](const FakeJob& job) { return !job.failures.empty(); }));
  EXPECT_THAT(scheduler_.Job(bad).failures.at(0).message(), HasSubstr("digest"));
  EXPECT_FALSE(fs::exists(folder_.path() / "data/datasets" / Sha256Hex(rows)));
}

TEST_F(WorkerTransfersTest, FullDiskFailsTheJobAndTheNextOneRuns) {
  const std::string rows = Rows(50);
  fs::create_directories(folder_.path() / "data/datasets");
  fs::create_symlink("/dev/full", folder_.path() / "data/datasets" / (Sha256Hex(rows) + ".part"));
  const int64_t bad = scheduler_.Submit("bad", {}, "mozgach/tiny", rows);
  const int64_t good = scheduler_.Submit("good", {});
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(bad, "failed"));
  EXPECT_THAT(scheduler_.Job(bad).failures.at(0).message(), HasSubstr("No space left"));
  EXPECT_EQ(scheduler_.Job(bad).failures.at(0).class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_TRUE(scheduler_.WaitForState(good, "succeeded"));
}

TEST_F(WorkerTransfersTest, LogsOfAnEarlierWorkerAreSentOn) {
  const int64_t job = scheduler_.Submit("one", {});
  folder_.Write("data/logs/1-9.log", "what attempt 9 had to say\n");
  folder_.Write("data/logs/notes.txt", "not a log");
  StartWorker();
  EXPECT_TRUE(WaitForLog(job, "what attempt 9 had to say"));
  const fs::path spooled = folder_.path() / "data/logs/1-9.log";
  for (int i = 0; i < 200 && fs::exists(spooled); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(fs::exists(spooled));
}

}  // namespace
}  // namespace mozgach
