// Every fault that the doctor knows is planted, and must be named.
#include "scheduler/upkeep/consistency_check.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/digest.h"
#include "common/files.h"
#include "mozgach/v1/upkeep_service.grpc.pb.h"
#include "scheduler/upkeep/backup.h"
#include "scheduler/upkeep/restore.h"
#include "tests/registry/weights.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// law has v0001, which latest and champion point at; history waits.
class ConsistencyCheckTest : public Service {
 protected:
  ConsistencyCheckTest() {
    SubmitOne("law");
    TestWorker alpha("alpha");
    RunOne(alpha);
    SubmitOne("history", "other rows");
    DeadlineContext deadline;
    v1::SetAliasRequest request;
    request.set_domain("law");
    request.set_alias("champion");
    request.set_version("v0001");
    v1::Version version;
    EXPECT_TRUE(registry_->SetAlias(deadline, request, &version).ok());
  }

  fs::path Data() const { return directory_.path() / "data"; }
  fs::path Law() const { return Data() / "registry/adapters/law"; }
  fs::path BlobOf(const std::string& bytes) const {
    const std::string sha256 = Sha256Hex(bytes);
    return Data() / "blobs" / sha256.substr(0, 2) / sha256;
  }
  void Overwrite(const fs::path& path, const std::string& bytes) {
    fs::remove(path);
    ASSERT_TRUE(MakeDirectories(path.parent_path()).ok());
    ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  }
  // Into the database of a scheduler that is down.
  void Write(const std::string& sql) {
    daemon_.reset();
    const auto database = Database::Open((Data() / kDatabaseName).string());
    ASSERT_TRUE(database.ok()) << database.status();
    const absl::Status written = (*database)->Execute("PRAGMA foreign_keys = OFF;" + sql);
    ASSERT_TRUE(written.ok()) << written;
  }

  // "weight: where: what; advice", DATA for the directory; without what this machine's disk has.
  std::vector<std::string> Findings(bool deep = false, WallTime now = Clock::System().Now()) {
    std::vector<std::string> lines;
    const ConsistencyCheck seen = CheckConsistency({.data = Data(), .deep = deep}, now);
    for (const Finding& finding : seen.findings) {
      if (finding.what.find("nearly full") != std::string::npos) continue;
      EXPECT_FALSE(finding.advice.empty()) << finding.what;
      lines.push_back(absl::StrReplaceAll(absl::StrCat(Name(finding.weight), ": ", finding.where,
                                                       ": ", finding.what, "; ", finding.advice),
                                          {{Data().string(), "DATA"}}));
    }
    return lines;
  }
  testing::Matcher<const std::vector<std::string>&> Only(const std::string& where,
                                                         const std::string& what,
                                                         const std::string& advice) {
    return ElementsAre(AllOf(HasSubstr(where), HasSubstr(what), HasSubstr(advice)));
  }
};

TEST_F(ConsistencyCheckTest, NothingIsWrongWithASchedulerThatNothingBefell) {
  EXPECT_THAT(Findings(true), IsEmpty());
  daemon_.reset();
  EXPECT_THAT(Findings(true), IsEmpty());
  const ConsistencyCheck check = CheckConsistency({.data = Data()}, Clock::System().Now());
  EXPECT_EQ(check.jobs, 2);
  EXPECT_EQ(check.versions, 1);
  EXPECT_EQ(check.files, 4);
  EXPECT_EQ(check.blobs, 1);
  EXPECT_GE(check.schema, 7);
}

TEST_F(ConsistencyCheckTest, VersionThatIsMissing) {
  fs::remove_all(Law() / "v0001");
  EXPECT_THAT(Findings(),
              Only("problem: DATA/registry/adapters/law/v0001:", "is missing", "submit law again"));
}

TEST_F(ConsistencyCheckTest, FilesOfAVersionThatAreMissingShortOrForeign) {
  fs::remove(Law() / "v0001/metrics.json");
  EXPECT_THAT(Findings(), Only("law/v0001/metrics.json", "is missing", "from a backup"));
  Overwrite(Law() / "v0001/metrics.json", "{}");
  EXPECT_THAT(Findings(),
              Only("law/v0001/metrics.json", "has 2 bytes, not the 3", "from a backup"));
  Overwrite(Law() / "v0001/metrics.json", "{}\n");
  Overwrite(Law() / "v0001/notes.txt", "mine");
  EXPECT_THAT(Findings(), Only("law/v0001/notes.txt", "was not published", "remove it"));
}

TEST_F(ConsistencyCheckTest, ByteOfAVersionThatHasChangedIsSeenByTheDeepLook) {
  Overwrite(Law() / "v0001/adapter_model.safetensors", Weights("tensorS"));
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Findings(true), Only("adapter_model.safetensors", "have changed", "from a backup"));
}

TEST_F(ConsistencyCheckTest, DirectoryThatNoRowNames) {
  fs::copy(Law() / "v0001", Law() / "v0002", fs::copy_options::recursive);
  EXPECT_THAT(Findings(), Only("problem: DATA/registry/adapters/law/v0002", "no row names it",
                               "newer than the backup"));
}

TEST_F(ConsistencyCheckTest, LinksThatAreGoneWrongOrNobodys) {
  fs::remove(Law() / "champion");
  EXPECT_THAT(Findings(), Only("law/champion", "is not a link", "restart the scheduler"));
  fs::create_directory_symlink("v0007", Law() / "champion");
  EXPECT_THAT(Findings(), Only("law/champion", "points at v0007, and its alias at v0001",
                               "restart the scheduler"));
  fs::remove(Law() / "champion");
  fs::create_directory_symlink("v0001", Law() / "champion");
  fs::create_directory_symlink("v0001", Law() / "best");
  EXPECT_THAT(Findings(), Only("law/best", "no alias has", "adapters alias law best"));
}

TEST_F(ConsistencyCheckTest, AdviceIsNothingThatIsRefused) {
  fs::create_directories(Data() / "registry/adapters/art");
  fs::create_directory_symlink("v0001", Data() / "registry/adapters/art/latest");
  EXPECT_THAT(Findings(), ElementsAre(AllOf(HasSubstr("art/latest"), HasSubstr("remove it"),
                                            Not(HasSubstr("adapters alias")))));
}

TEST(DiskTest, SmallDiskThatIsEmptyIsNotNearlyFull) {
  constexpr uint64_t kMiB = 1 << 20, kGiB = 1 << 30;
  EXPECT_FALSE(IsNearlyFull(18 * kMiB, 20 * kMiB));
  EXPECT_TRUE(IsNearlyFull(1 * kMiB, 20 * kMiB));
  EXPECT_TRUE(IsNearlyFull(kGiB / 2, 20 * kGiB));
  EXPECT_TRUE(IsNearlyFull(10 * kGiB, 1000 * kGiB));
  EXPECT_FALSE(IsNearlyFull(30 * kGiB, 1000 * kGiB));
}

TEST_F(ConsistencyCheckTest, AliasOfAVersionThatThereIsNot) {
  Write("UPDATE aliases SET number = 9 WHERE alias = 'champion'");
  EXPECT_THAT(Findings(), Only("law/champion", "points at v0009, which does not exist",
                               "mozgachctl adapters alias law champion"));
}

TEST_F(ConsistencyCheckTest, StrangersInTheRegistry) {
  Overwrite(Law() / ".champion.displaced-1", "mine");
  Overwrite(Law() / "todo.txt", "mine");
  fs::create_directories(Data() / "registry/staging/7-3");
  const auto findings = Findings();
  EXPECT_EQ(findings.size(), 3u);
  EXPECT_THAT(findings, Contains(AllOf(HasSubstr("note: "), HasSubstr("displaced-1"),
                                       HasSubstr("was moved aside"))));
  EXPECT_THAT(findings, Contains(HasSubstr("todo.txt: is nothing of the registry's")));
  EXPECT_THAT(findings, Contains(AllOf(HasSubstr("staging/7-3"), HasSubstr("was cut"))));
}

TEST_F(ConsistencyCheckTest, DirectoriesThatEveryStartMakesAreMissed) {
  daemon_.reset();  // it would make them again
  for (const char* name : {"blobs", "registry"}) fs::remove_all(Data() / name);
  const auto findings = Findings();
  for (const char* name : {"blobs", "registry"}) {
    const std::string missing = absl::StrCat("problem: DATA/", name, ": is missing");
    EXPECT_THAT(findings, Contains(AllOf(HasSubstr(missing), HasSubstr("makes it again"))));
  }
}

TEST_F(ConsistencyCheckTest, DatasetOfAJobThatWaits) {
  fs::remove(BlobOf("other rows"));
  EXPECT_THAT(Findings(), Only("problem: DATA/blobs",
                               "is missing: dataset train.jsonl of job 2 "
                               "(history)",
                               "submit its domain again"));
  Overwrite(BlobOf("other rows"), "short");
  EXPECT_THAT(Findings(), Only("DATA/blobs", "has 5 bytes, not 10", "submit"));
  Overwrite(BlobOf("other rows"), "other rowS");
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Findings(true), Only("DATA/blobs", "bytes are damaged", "submit"));
}

TEST_F(ConsistencyCheckTest, FileOfABase) {
  Write(
      absl::StrCat("INSERT INTO bases (base, digest, size_bytes, revisions_json, added_ms) "
                   "VALUES ('org/base', 'd', 9, '[]', 0);"
                   "INSERT INTO base_files VALUES ('org/base', 'config.json', '",
                   Sha256Hex("config"), "', 6)"));
  EXPECT_THAT(Findings(), Only("DATA/blobs", "is missing: file config.json of base org/base",
                               "mozgachctl bases add"));
}

TEST_F(ConsistencyCheckTest, WhatNobodyNeedsIsANote) {
  PutBlob("nobody's");
  Upload(Sha256Hex("cut"), 3, 0, "c");
  Overwrite(Data() / "blobs/readme.txt", "mine");
  const auto findings = Findings();
  EXPECT_EQ(findings.size(), 3u);
  EXPECT_THAT(findings,
              Contains(AllOf(HasSubstr("note: "), HasSubstr("1 new blob that nothing needs"),
                             HasSubstr("nothing to do"), HasSubstr("7 days old"))));
  EXPECT_THAT(findings, Contains(HasSubstr("1 new upload that has not ended")));
  EXPECT_THAT(findings, Contains(HasSubstr("readme.txt: is nothing of the blob store's")));
}

TEST_F(ConsistencyCheckTest, AgreesWithGarbageCollectionAboutBlobs) {
  const auto collected = [&] {
    v1::CollectGarbageRequest request;
    request.set_dry_run(true);
    v1::CollectGarbageResponse response;
    DeadlineContext deadline;
    const auto stub = v1::UpkeepService::NewStub(channel_);
    EXPECT_TRUE(stub->CollectGarbage(deadline, request, &response).ok());
    return response.garbage_size();
  };
  PutBlob("nobody's");
  EXPECT_THAT(Findings(), Only("DATA/blobs", "1 new blob that nothing needs", "nothing to do"));
  EXPECT_EQ(collected(), 0);
  fs::last_write_time(BlobOf("nobody's"),
                      fs::file_time_type::clock::now() - std::chrono::hours(8 * 24));
  EXPECT_THAT(Findings(), Only("DATA/blobs", " 1 blob that nothing needs", "`mozgachctl gc`"));
  EXPECT_EQ(collected(), 1);
}

TEST_F(ConsistencyCheckTest, AFolderThatOthersMayReadIsANote) {
  EXPECT_THAT(Findings(), IsEmpty()) << "the scheduler makes its folder with mode 0700";
  fs::permissions(Data(), fs::perms(0755));
  EXPECT_THAT(Findings(), Only("note: DATA", "mode 0755", "chmod 0700"));
}

TEST_F(ConsistencyCheckTest, RowsThatContradictOneAnother) {
  Write("UPDATE jobs SET state = 'running' WHERE job = 2");
  EXPECT_THAT(Findings(), Contains(AllOf(HasSubstr("problem: job 2 of history"),
                                         HasSubstr("without an open attempt"),
                                         HasSubstr("mozgachctl cancel 2"))));
  Write(
      "INSERT INTO leases (job, attempt, worker, incarnation, trains_since_ms) "
      "VALUES (1, 1, 'alpha', 'first', 0)");
  EXPECT_THAT(Findings(), Contains(HasSubstr("job 1: is leased to alpha, whose attempt is over")));
  Write("UPDATE job_counts SET jobs = 77 WHERE state = 'failed'");
  EXPECT_THAT(Findings(), Contains(HasSubstr("counts 77 jobs failed, there are 0")));
  Write("UPDATE version_numbers SET last = 0");
  EXPECT_THAT(Findings(), Contains(HasSubstr("has v0001, and its next version would be v0001")));
}

TEST_F(ConsistencyCheckTest, SuccessWithoutAVersion) {
  Write("DROP TRIGGER versions_that_are_needed_stay; DELETE FROM aliases; DELETE FROM versions");
  const auto findings = Findings();
  EXPECT_THAT(findings, Contains(AllOf(HasSubstr("job 1 of law: succeeded, and no row has its"),
                                       HasSubstr("submit law again"))));
  EXPECT_THAT(findings, Contains(HasSubstr("law/v0001: can be seen, and no row names it")));
}

TEST_F(ConsistencyCheckTest, RowThatRefersToNothing) {
  Write("INSERT INTO job_details (job, spec_json) VALUES (99, '{}')");
  EXPECT_THAT(Findings(),
              Only("mozgach.db", "of table job_details refers to a row of jobs", "backup"));
}

TEST_F(ConsistencyCheckTest, ClockThatWasSetBack) {
  EXPECT_THAT(Findings(false, Clock::System().Now() - std::chrono::hours(24)),
              Only("problem: the clock of this host", "an event is of", "NTP"));
}

TEST_F(ConsistencyCheckTest, DatabaseThatIsMissingDamagedOrNewer) {
  Write("PRAGMA user_version = 999");
  EXPECT_THAT(Findings(), Only("mozgach.db", "999", "newer"));
  Write("PRAGMA user_version = 1; DROP TABLE jobs");
  EXPECT_THAT(Findings(), Contains(HasSubstr("cannot be upgraded")));
  Overwrite(Data() / kDatabaseName, std::string(8192, 'x'));
  EXPECT_THAT(Findings(), Only("mozgach.db", "not a database", "mozgach-scheduler restore"));
  fs::remove(Data() / kDatabaseName);
  EXPECT_THAT(Findings(), Only("mozgach.db", "is gone or empty", "restore --keep-files"));
  Overwrite(Data() / kDatabaseName, "");
  EXPECT_THAT(Findings(), Only("mozgach.db", "is gone or empty", "restore --keep-files"));
}

TEST_F(ConsistencyCheckTest, PageOfTheDatabaseThatIsDamaged) {
  Write("PRAGMA wal_checkpoint(TRUNCATE)");
  std::string bytes = ReadFile(Data() / kDatabaseName).value();
  // The second page: of whichever table it is, its header is not one any more.
  for (size_t i = 4096; i < 4096 + 64; ++i) bytes[i] = static_cast<char>(bytes[i] ^ 0x5a);
  Overwrite(Data() / kDatabaseName, bytes);
  EXPECT_THAT(Findings(), Contains(AllOf(HasSubstr("problem: DATA/mozgach.db"),
                                         HasSubstr("mozgach-scheduler restore"))));
}

TEST_F(ConsistencyCheckTest, RestoreThatWasCutAndWhatACrashLeft) {
  Overwrite(Data() / kRestoringName, "");
  Overwrite(Data() / "endpoints.json.7.0.tmp", "{");
  const auto findings = Findings();
  EXPECT_EQ(findings.size(), 2u);
  EXPECT_THAT(findings, Contains(AllOf(HasSubstr("DATA/restoring"), HasSubstr("restore again"))));
  EXPECT_THAT(findings, Contains(AllOf(HasSubstr("note: "), HasSubstr("endpoints.json.7.0.tmp"))));
}

TEST_F(ConsistencyCheckTest, RunningSchedulerTellsTheSameOverGrpc) {
  const auto stub = v1::UpkeepService::NewStub(channel_);
  fs::remove_all(Law() / "v0001");
  DeadlineContext deadline;
  v1::CheckConsistencyResponse response;
  ASSERT_TRUE(stub->CheckConsistency(deadline, v1::CheckConsistencyRequest(), &response).ok());
  std::vector<std::string> problems;
  for (const v1::Finding& finding : response.findings()) {
    if (finding.what().find("nearly full") != std::string::npos) continue;
    problems.push_back(absl::StrCat(finding.weight(), ": ", finding.where(), ": ", finding.what()));
  }
  EXPECT_THAT(problems,
              ElementsAre(AllOf(HasSubstr("problem: "), HasSubstr("law/v0001: is missing"))));
  EXPECT_EQ(response.jobs(), 2);
  EXPECT_FALSE(response.time().empty());
}

}  // namespace
}  // namespace mozgach
