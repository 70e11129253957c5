// What nobody needs goes by the rules, and nothing else.
#include "scheduler/upkeep/retention.h"

#include <gmock/gmock.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "registry/blob_upload.h"
#include "registry/query.h"
#include "scheduler/jobs/attempt_log.h"
#include "scheduler/upkeep/row_collector.h"
#include "tests/invariants/invariants.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr auto kDay = std::chrono::hours(24);
constexpr char kEventCount[] = "SELECT count(*) FROM events WHERE time_ms < ?1";
constexpr char kEventsOfJob[] = "SELECT count(*) FROM events WHERE job = ?1 AND time_ms < ?2";

class RetentionTest : public Fleet {
 protected:
  RetentionTest() {
    now_.wall = Clock::System().Now();  // files carry the real time
    rules_.job_days_kept = rules_.event_days_kept = rules_.log_days_kept = 0;
    rules_.blob_days_kept = 36500;
  }

  Retention Rules() { return Retention(rules_, *blobs_, adapters_->files(), directory_.path()); }
  Collection Collect() {
    const auto collected =
        Rules().Collect([this](const Retention::Step& step) { return step(*database_); }, now_.wall,
                        "ann@executor");
    EXPECT_TRUE(collected.ok()) << collected.status();
    return collected.value_or(Collection());
  }
  static std::vector<std::string> Names(const Collection& collection) {
    std::vector<std::string> names;
    for (const Garbage& item : collection.garbage) {
      names.push_back(absl::StrCat(item.kind, " ", item.name));
    }
    return names;
  }
  std::vector<std::string> Problems() {
    return Invariants(RegistryRoot(), {.back_off_ms = 0}).Check(*database_);
  }
  int64_t Count(const char* sql, int64_t first, int64_t second = 0) {
    if (sql == kEventCount) {
      Query row(*database_, sql, first);
      return row.Next() ? row.Int(0) : -1;
    }
    Query row(*database_, sql, first, second);
    return row.Next() ? row.Int(0) : -1;
  }
  // Trains the domain again on other rows; returns the job.
  int64_t Train(const std::string& domain, int change) {
    const int64_t job =
        Submit({Domain(domain, kTiny, 50, absl::StrCat("rows ", change))}).outcomes(0).job();
    RunOne(alpha_);
    return job;
  }
  int64_t Fail(const std::string& domain) {
    const int64_t job = SubmitOne(domain);
    const v1::Assignment assignment = Claim(alpha_);
    alpha_.Fails(assignment, v1::Failure::DATA, "row 3: no text");
    Call(alpha_);
    alpha_.Forgets();
    EXPECT_EQ(State(job), "failed");
    return job;
  }
  void Age(const fs::path& path, std::chrono::hours age) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
  }
  void AgeBlobs(std::chrono::hours age) {
    const std::vector<std::string> files = ListFiles(directory_.path() / "blobs").value();
    for (const std::string& file : files) Age(directory_.path() / "blobs" / file, age);
  }
  bool SeesVersion(const std::string& domain, int64_t number) {
    return adapters_->files().IsVisible(domain, number);
  }

  SchedulerConfig rules_;
  TestWorker alpha_{"alpha"};
};

TEST_F(RetentionTest, ByDefaultEveryVersionStays) {
  rules_ = SchedulerConfig();
  for (int change = 1; change <= 3; ++change) Train("law", change);
  EXPECT_THAT(Names(Collect()), IsEmpty());
  EXPECT_EQ(Versions().size(), 3u);
}

TEST_F(RetentionTest, SupersededVersionsGoAndThoseThatAreNeededStay) {
  std::vector<int64_t> jobs;
  for (int change = 1; change <= 5; ++change) jobs.push_back(Train("law", change));
  Train("history", 1);
  ASSERT_TRUE(adapters_->SetAlias("law", "champion", "v0002").ok());
  rules_.versions_kept = 2;
  EXPECT_THAT(Names(Collect()), ElementsAre("version law@v0001", "version law@v0003"));
  for (const int64_t gone : {1, 3}) EXPECT_FALSE(SeesVersion("law", gone)) << gone;
  for (const int64_t kept : {2, 4, 5}) EXPECT_TRUE(SeesVersion("law", kept)) << kept;
  EXPECT_TRUE(SeesVersion("history", 1));
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(RegistryRoot() / "staging"));
  // The job is still there to be looked at; its number is not given again.
  EXPECT_EQ(Get(jobs[0]).state(), "succeeded");
  EXPECT_EQ(Get(jobs[0]).version(), "v0001");
  Train("law", 6);
  EXPECT_TRUE(SeesVersion("law", 6));
  EXPECT_THAT(Names(Collect()), ElementsAre("version law@v0004"));
  Restart();
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(RetentionTest, VersionOfTheLatestJobStaysThoughOthersAreNewer) {
  Train("law", 1);
  Train("law", 2);
  // As after a restore: the domain's latest job is an older one.
  ASSERT_TRUE(database_->Execute("UPDATE domains SET latest_job = 1").ok());
  rules_.versions_kept = 1;
  EXPECT_THAT(Names(Collect()), IsEmpty());
  EXPECT_EQ(Submit({Domain("law", kTiny, 50, "rows 1")}).outcomes(0).outcome(), "unchanged");
}

TEST_F(RetentionTest, CollectionThatWasCutIsFinishedByTheNext) {
  for (int change = 1; change <= 2; ++change) Train("law", change);
  rules_.versions_kept = 1;
  Collection collection;
  ASSERT_TRUE(RowCollector(rules_, now_.wall, collection).RemoveVersions(*database_, "law").ok());
  ASSERT_TRUE(SeesVersion("law", 1)) << "its row has gone, its directory not yet";
  Restart();
  Collect();
  EXPECT_FALSE(SeesVersion("law", 1));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(RetentionTest, OldJobsGoButNotThoseThatAreNeeded) {
  const int64_t failed = Fail("tax");
  const int64_t again = Fail("tax");
  const int64_t law = Train("law", 1);
  const int64_t newer = Train("law", 2);
  const int64_t waiting = SubmitOne("opera", kQwen);
  rules_.job_days_kept = 30;
  now_.wall += 31 * kDay;
  const int64_t young = Fail("art");
  EXPECT_THAT(Names(Collect()), ElementsAre(absl::StrCat("job ", failed, " of tax")));
  v1::GetRequest gone;
  gone.set_job(failed);
  EXPECT_TRUE(absl::IsNotFound(core_->Get(now_, gone).status()));
  for (const int64_t kept : {again, law, newer, waiting, young}) EXPECT_EQ(Get(kept).job(), kept);
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_EQ(state().queue.Count(JobState::kFailed).value(), 2);
  // The version of `law` goes, and then nothing needs its job.
  rules_.versions_kept = 1;
  EXPECT_THAT(Names(Collect()),
              ElementsAre("version law@v0001", absl::StrCat("job ", law, " of law")));
  EXPECT_THAT(Problems(), IsEmpty());
  Restart();
  EXPECT_EQ(State(waiting), "queued");
}

TEST_F(RetentionTest, OldEventsGoTogetherWithTheirJobsAndNoCallCanRemoveOne) {
  const int64_t over = Fail("tax");
  const int64_t waiting = SubmitOne("opera", kQwen);
  rules_.event_days_kept = 30;
  now_.wall += 31 * kDay;
  const int64_t before = ToMillis(now_.wall - 30 * kDay);
  ASSERT_GT(Count(kEventsOfJob, over, before), 2);
  const Collection collection = Collect();
  ASSERT_EQ(collection.totals.size(), 1u);
  EXPECT_EQ(collection.totals[0].kind, "event");
  EXPECT_EQ(Count(kEventsOfJob, over, before), 0);
  EXPECT_EQ(Count(kEventsOfJob, waiting, before), 1) << "it is not over";
  const auto events = core_->ListEvents(now_, v1::ListEventsRequest());
  EXPECT_EQ(events->events().rbegin()->kind(), "garbage_collected");
  EXPECT_EQ(events->events().rbegin()->actor(), "ann@executor");
  for (const char* sql : {"DELETE FROM events", "DELETE FROM events WHERE time_ms < 9",
                          "UPDATE events SET actor = 'bob'"}) {
    const absl::Status status = database_->Execute(sql);
    EXPECT_EQ(status.ok(), std::string(sql).find("time_ms < 9") != std::string::npos) << sql;
  }
  EXPECT_EQ(Count(kEventCount, INT64_MAX), 2);
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(RetentionTest, DatabaseItselfRefusesToRemoveWhatIsNeeded) {
  Train("law", 1);
  const int64_t waiting = SubmitOne("opera", kQwen);
  for (const std::string& sql :
       {std::string("DELETE FROM versions"), std::string("DELETE FROM jobs WHERE job = 1"),
        absl::StrCat("DELETE FROM jobs WHERE job = ", waiting),
        std::string("DELETE FROM events")}) {
    EXPECT_FALSE(database_->Execute("PRAGMA foreign_keys = OFF; " + sql).ok()) << sql;
  }
  EXPECT_EQ(State(waiting), "queued");
}

TEST_F(RetentionTest, LogsGoAfterTheirJobsButTheLatestOfADomainStays) {
  AttemptLogs logs(directory_.path() / "logs", 1000);
  const int64_t failed = Fail("tax");
  const int64_t again = Fail("tax");
  const int64_t waiting = SubmitOne("opera", kQwen);
  for (const int64_t job : {failed, again, waiting, int64_t{4711}}) {
    ASSERT_TRUE(logs.Append(job, 1, 0, "said").ok());
  }
  EXPECT_THAT(Names(Collect()), ElementsAre("log of job 4711")) << "there is no such job";
  rules_.log_days_kept = 30;
  EXPECT_THAT(Names(Collect()), IsEmpty());
  now_.wall += 31 * kDay;
  const Collection collection = Collect();
  EXPECT_THAT(Names(collection), ElementsAre(absl::StrCat("log of job ", failed)));
  EXPECT_EQ(collection.totals[0].bytes, 4u);
  EXPECT_EQ(logs.Read(failed, 1, 0, 10).value(), "");
  EXPECT_EQ(logs.Read(again, 1, 0, 10).value(), "said");
  EXPECT_EQ(logs.Read(waiting, 1, 0, 10).value(), "said");
}

TEST_F(RetentionTest, BlobsThatNothingNeedsGoWhenTheyAreOld) {
  Train("law", 1);  // keeps the blobs of a version
  Fail("tax");      // keeps those of the latest job, which may be retried
  Submit({Domain("opera", kTiny, 50, "opera rows")});  // keeps those of a waiting job
  const std::string superseded = Sha256Hex("art rows");
  Submit({Domain("art", kTiny, 50, "art rows")});
  Submit({Domain("art", kTiny, 50, "other art rows")});
  const std::string orphan = PutBlob("nobody's");
  const std::string young = PutBlob("young");
  { ASSERT_TRUE((*blobs_->Upload(Sha256Hex("cut"), 9, 0))->Append("c").ok()); }
  ASSERT_TRUE(database_
                  ->Execute(absl::StrCat(
                      "INSERT INTO bases (base, digest, size_bytes, revisions_json, added_ms) "
                      "VALUES ('org/base', 'd', 9, '[]', 0); INSERT INTO base_files VALUES "
                      "('org/base', 'config.json', '",
                      PutBlob("config"), "', 6)"))
                  .ok());
  AgeBlobs(std::chrono::hours(24 * 8));
  Age(blobs_->Path(young).value(), std::chrono::hours(24 * 6));
  rules_.blob_days_kept = 7;
  EXPECT_THAT(Names(Collect()), UnorderedElementsAre("blob " + orphan, "blob " + superseded,
                                                     "upload partial/" + Sha256Hex("cut")));
  for (const char* kept : {"rows 1", "rows", "opera rows", "other art rows", "young", "config"}) {
    EXPECT_TRUE(blobs_->Has(Sha256Hex(kept))) << kept;
  }
}

TEST_F(RetentionTest, BlobOfTheLastHourStaysWhateverTheRule) {
  PutBlob("just uploaded");
  rules_.blob_days_kept = 0;
  EXPECT_THAT(Names(Collect()), IsEmpty());
  Age(blobs_->Path(Sha256Hex("just uploaded")).value(), std::chrono::hours(2));
  EXPECT_EQ(Names(Collect()).size(), 1u);
}

TEST_F(RetentionTest, PreviewIsWhatCollectTakesAndChangesNothing) {
  AttemptLogs logs(directory_.path() / "logs", 1000);
  for (int change = 1; change <= 3; ++change) {
    ASSERT_TRUE(logs.Append(Train("law", change), 1, 0, "said").ok());
  }
  Fail("tax");
  Fail("tax");
  PutBlob("nobody's");
  rules_.versions_kept = 1;
  rules_.job_days_kept = rules_.event_days_kept = rules_.log_days_kept = 30;
  rules_.blob_days_kept = 7;
  AgeBlobs(std::chrono::hours(24 * 8));
  now_.wall += 31 * kDay;
  const auto preview = Rules().Preview(*database_, now_.wall);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(Versions().size(), 3u);
  EXPECT_TRUE(SeesVersion("law", 1));
  EXPECT_EQ(logs.Read(1, 1, 0, 10).value(), "said");
  EXPECT_TRUE(blobs_->Has(Sha256Hex("nobody's")));
  const std::vector<std::string> names = Names(*preview);
  EXPECT_GE(names.size(), 9u);
  EXPECT_EQ(Names(Collect()), names);
  EXPECT_FALSE(blobs_->Has(Sha256Hex("rows 1"))) << "its version has gone, and its job";
  EXPECT_THAT(Names(Collect()), IsEmpty());
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(RetentionTest, ManyGoInManySteps) {
  for (int job = 0; job < 1100; ++job) Fail("tax");
  rules_.job_days_kept = rules_.event_days_kept = 30;
  now_.wall += 31 * kDay;
  const Collection collection = Collect();
  ASSERT_EQ(collection.totals.size(), 2u);
  EXPECT_EQ(collection.totals[0].count, 1099);
  EXPECT_GT(collection.totals[1].count, 3000);
  EXPECT_THAT(Problems(), IsEmpty());
}

}  // namespace
}  // namespace mozgach
