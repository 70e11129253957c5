// Backups of a scheduler that runs, and the way back from them.
#include "scheduler/upkeep/backup.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "registry/query.h"
#include "scheduler/jobs/attempt_log.h"
#include "scheduler/upkeep/consistency_check.h"
#include "scheduler/upkeep/restore.h"
#include "tests/invariants/invariants.h"
#include "tests/registry/weights.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BackupTest : public Service {
 protected:
  fs::path Data() const { return directory_.path() / "data"; }
  fs::path Place(const std::string& name) const { return directory_.path() / name; }

  absl::StatusOr<BackupContents> TryBackUp(const std::string& name, CopyBy by = CopyBy::kLink) {
    return BackUp({.data = Data(), .output = Place(name), .by = by}, Clock::System().Now());
  }
  BackupContents MakeBackup(const std::string& name, CopyBy by = CopyBy::kLink) {
    const auto contents = TryBackUp(name, by);
    EXPECT_TRUE(contents.ok()) << contents.status();
    return contents.value_or(BackupContents());
  }
  absl::StatusOr<RestoreReport> TryRestore(const std::string& name, const fs::path& data,
                                           bool keep_files = false) {
    return RestoreBackup({.from = Place(name), .data = data, .keep_files = keep_files},
                         Clock::System().Now());
  }
  // The data directory is lost, and made again from a backup.
  RestoreReport LoseAndRestore(const std::string& name) {
    daemon_.reset();
    fs::rename(Data(), Place("lost"));
    const auto report = TryRestore(name, Data());
    EXPECT_TRUE(report.ok()) << report.status();
    Start();
    return report.value_or(RestoreReport());
  }
  std::vector<std::string> Problems(const fs::path& data) {
    const auto database = Database::OpenToRead((data / kDatabaseName).string());
    if (!database.ok()) return {std::string(database.status().message())};
    return Invariants(data / "registry", {.back_off_ms = 0}).Check(**database);
  }

  TestWorker alpha_{"alpha"};
};

TEST_F(BackupTest, HoldsJobsVersionsAndDatasetsOfASchedulerThatRuns) {
  SubmitOne("law");
  RunOne(alpha_);
  SubmitOne("history", "other rows");
  const BackupContents made = MakeBackup("backup");
  EXPECT_THAT(made.missing, IsEmpty());
  EXPECT_EQ(made.jobs, 2);
  EXPECT_EQ(made.versions, 1);
  EXPECT_EQ(made.files.files, 4 + 2) << "tensors, config, metrics and manifest; two datasets";
  EXPECT_THAT(Problems(Place("backup")), IsEmpty());
  const auto read = ReadBackup(Place("backup"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->jobs, 2);
  EXPECT_EQ(read->made_at, made.made_at);
  EXPECT_TRUE(
      fs::exists(Place("backup") / "blobs" / Sha256Hex("rows").substr(0, 2) / Sha256Hex("rows")));
  EXPECT_FALSE(fs::exists(Place("backup.partial")));
}

TEST_F(BackupTest, CopiesAreOtherFilesAndLinksAreNot) {
  SubmitOne("law");
  EXPECT_EQ(MakeBackup("linked").files.linked, 1);
  EXPECT_EQ(MakeBackup("copied", CopyBy::kBytes).files.linked, 0);
  const std::string sha256 = Sha256Hex("rows");
  const fs::path blob = fs::path("blobs") / sha256.substr(0, 2) / sha256;
  EXPECT_TRUE(fs::equivalent(Place("linked") / blob, Data() / blob));
  EXPECT_FALSE(fs::equivalent(Place("copied") / blob, Data() / blob));
  EXPECT_EQ(ReadFile(Place("copied") / blob).value(), "rows");
}

TEST_F(BackupTest, EachOfManyMadeWhileTheFleetWorksIsWhole) {
  std::atomic<bool> over = false;
  std::thread fleet([&] {
    TestWorker worker("busy");
    for (int i = 0; !over; ++i) {
      SubmitOne(absl::StrCat("domain-", i), absl::StrCat("rows ", i));
      RunOne(worker, absl::StrCat("tensors ", i));
    }
  });
  int64_t versions = 0;
  for (int i = 0; i < 10 || (i < 200 && versions == 0); ++i) {
    const std::string name = absl::StrCat("backup-", i);
    const BackupContents made = MakeBackup(name);
    EXPECT_THAT(made.missing, IsEmpty());
    EXPECT_THAT(Problems(Place(name)), IsEmpty());
    EXPECT_GE(made.versions, versions);
    versions = made.versions;
  }
  over = true;
  fleet.join();
  EXPECT_GT(versions, 0);
}

TEST_F(BackupTest, RestoredSchedulerGoesOnWhereTheBackupWas) {
  const int64_t law = SubmitOne("law");
  RunOne(alpha_);
  const int64_t history = SubmitOne("history", "other rows");
  MakeBackup("backup");
  const RestoreReport report = LoseAndRestore("backup");
  EXPECT_THAT(report.missing, IsEmpty());
  EXPECT_GT(report.incarnation, 0);
  EXPECT_EQ(Get(law).state(), "succeeded");
  alpha_.request.set_scheduler_incarnation(Call(alpha_).scheduler_incarnation());
  RunOne(alpha_, "other tensors");
  EXPECT_EQ(Get(history).state(), "succeeded");
  EXPECT_THAT(Problems(Data()), IsEmpty());
  EXPECT_EQ(fs::read_symlink(Data() / "registry/adapters/law/latest"), "v0001");
}

TEST_F(BackupTest, DoctorIsContentWithWhatWasRestored) {
  MakeBackup("of nothing");
  SubmitOne("law");
  MakeBackup("of a queue");
  RunOne(alpha_);
  MakeBackup("of a version");
  for (const char* name : {"of nothing", "of a queue", "of a version"}) {
    const fs::path fresh = Place(absl::StrCat(name, ", restored"));
    ASSERT_TRUE(TryRestore(name, fresh).ok()) << name;
    const ConsistencyCheck seen =
        CheckConsistency({.data = fresh, .deep = true}, Clock::System().Now());
    for (const Finding& finding : seen.findings) {
      const bool disk = finding.what.find("nearly full") != std::string::npos;
      EXPECT_TRUE(disk) << name << ": " << finding.where << ": " << finding.what;
    }
  }
}

TEST_F(BackupTest, LeaseOfTheTimeOfTheBackupIsRefused) {
  const int64_t job = SubmitOne("law");
  alpha_.Says(1);
  const v1::Assignment assignment = Call(alpha_).assignments(0);
  alpha_.Says(0);
  MakeBackup("backup");
  EXPECT_EQ(LoseAndRestore("backup").requeued, 1);
  AddAdapter(*alpha_.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result());
  Call(alpha_);
  EXPECT_EQ(Get(job).state(), "queued");
  EXPECT_FALSE(fs::exists(Data() / "registry/adapters/law/v0001"));
}

TEST_F(BackupTest, DatabaseAloneGoesBackBesideTheFilesThatAreThere) {
  SubmitOne("law");
  const auto database_only = BackUp(
      {.data = Data(), .output = Place("backup"), .database_only = true}, Clock::System().Now());
  ASSERT_TRUE(database_only.ok()) << database_only.status();
  EXPECT_EQ(database_only->files.files, 0);
  RunOne(alpha_);
  daemon_.reset();
  EXPECT_THAT(std::string(TryRestore("backup", Data(), true).status().message()),
              HasSubstr("mozgach.db"));
  for (const char* name : {"mozgach.db", "mozgach.db-wal", "mozgach.db-shm"}) {
    fs::remove(Data() / name);
  }
  EXPECT_THAT(std::string(TryRestore("backup", Data()).status().message()),
              HasSubstr("--keep-files"));
  const auto report = TryRestore("backup", Data(), true);
  ASSERT_TRUE(report.ok()) << report.status();
  Start();
  TestWorker beta("beta");
  beta.request.set_scheduler_incarnation(Call(beta).scheduler_incarnation());
  RunOne(beta, "again");
  // The number of the version that the backup does not know stays used up.
  EXPECT_TRUE(fs::exists(Data() / "registry/adapters/law/v0001"));
  EXPECT_EQ(fs::read_symlink(Data() / "registry/adapters/law/latest"), "v0002");
}

TEST_F(BackupTest, JobsThatTheBackupDoesNotKnowKeepTheirNumbers) {
  SubmitOne("law");
  MakeBackup("backup");
  RunOne(alpha_);
  const int64_t forgotten = SubmitOne("history", "other rows");
  RunOne(alpha_);
  const auto lose = [&](const char* also) {
    daemon_.reset();
    for (const char* name : {"mozgach.db", "mozgach.db-wal", "mozgach.db-shm"}) {
      fs::remove(Data() / name);
    }
    fs::remove_all(Data() / also);
    const auto report = TryRestore("backup", Data(), true);
    EXPECT_TRUE(report.ok()) << report.status();
    Start();
  };
  lose("logs");
  EXPECT_EQ(SubmitOne("art"), forgotten + 1) << "its manifest lies in the registry";
  AttemptLogs(Data() / "logs", 1000).Append(40, 1, 0, "of somebody else\n").value();
  lose("registry");
  EXPECT_EQ(SubmitOne("art"), 41) << "its log is there";
  daemon_.reset();
  fs::create_directories(Data() / "registry/staging/50-1");
  fs::create_directories(Data() / "logs/9223372036854775807");
  Start();
  EXPECT_EQ(SubmitOne("music"), 51);
}

TEST_F(BackupTest, LogOfAnAttemptThatTheBackupDoesNotKnowIsNotTheNextOnes) {
  const int64_t job = SubmitOne("law");
  MakeBackup("backup");
  RunOne(alpha_);
  daemon_.reset();
  fs::create_directory(Place("only logs"));
  AttemptLogs logs(Place("only logs") / "logs", 1000);
  logs.Append(job, 1, 0, "forgotten\n").value();
  ASSERT_TRUE(TryRestore("backup", Place("only logs"), true).ok());
  EXPECT_EQ(logs.Append(job, 1, 0, "of now\n").value(), 7u);
  EXPECT_EQ(logs.Read(job, 1, 0, 100).value(), "of now\n");
  const fs::path aside = Place("only logs") / "logs" / absl::StrCat(job) / "1.log.forgotten-1";
  EXPECT_EQ(ReadFile(aside).value(), "forgotten\n");
}

TEST_F(BackupTest, NothingIsOverwritten) {
  SubmitOne("law");
  MakeBackup("backup");
  const auto again = TryBackUp("backup");
  EXPECT_EQ(again.status().code(), absl::StatusCode::kFailedPrecondition) << again.status();
  const auto live = TryRestore("backup", Data());
  EXPECT_EQ(live.status().code(), absl::StatusCode::kFailedPrecondition) << live.status();
  EXPECT_THAT(std::string(live.status().message()), HasSubstr("not empty"));
  ASSERT_TRUE(MakeDirectories(Place("other")).ok());
  ASSERT_TRUE(WriteFileAtomically(Place("other") / "thesis.txt", "years").ok());
  const auto foreign = TryRestore("backup", Place("other"), true);
  EXPECT_THAT(std::string(foreign.status().message()), HasSubstr("thesis.txt"));
  EXPECT_EQ(ReadFile(Place("other") / "thesis.txt").value(), "years");
  EXPECT_FALSE(fs::exists(Place("other") / kDatabaseName));
}

TEST_F(BackupTest, SchedulerDoesNotBeginAnewBesideTheFilesOfADatabaseThatIsLost) {
  SubmitOne("law");
  MakeBackup("backup");
  RunOne(alpha_);
  daemon_.reset();
  ASSERT_TRUE(WriteFileAtomically(Data() / kDatabaseName, "").ok());
  EXPECT_THAT(std::string(TryBackUp("of nothing").status().message()), HasSubstr("is empty"));
  const auto empty = Daemon::Start(Options(), Clock::System());
  EXPECT_EQ(empty.status().code(), absl::StatusCode::kFailedPrecondition) << empty.status();
  EXPECT_THAT(std::string(empty.status().message()),
              AllOf(HasSubstr("mozgach.db is empty"), HasSubstr("--keep-files"),
                    HasSubstr("move " + (Data() / "registry").string())));
  fs::remove(Data() / kDatabaseName);
  const auto gone = Daemon::Start(Options(), Clock::System());
  EXPECT_THAT(std::string(gone.status().message()), HasSubstr("mozgach.db is gone"));
  EXPECT_FALSE(fs::exists(Data() / kDatabaseName));
  ASSERT_TRUE(WriteFileAtomically(Data() / kDatabaseName, "").ok());
  ASSERT_TRUE(TryRestore("backup", Data(), true).ok());
  Start();
  EXPECT_EQ(Get(1).state(), "queued");
  daemon_.reset();
  ASSERT_TRUE(WriteFileAtomically(Data() / kDatabaseName, "damaged").ok());
  EXPECT_THAT(std::string(TryRestore("backup", Data(), true).status().message()),
              HasSubstr("move it away"));
  fs::remove(Data() / kDatabaseName);
  fs::rename(Data() / "registry", Place("away"));
  fs::remove_all(Data() / "logs");
  Start();
}

TEST_F(BackupTest, BackupIsNoDataDirectory) {
  SubmitOne("law");
  MakeBackup("backup");
  DaemonOptions options = Options();
  options.data = Place("backup");
  const auto started = Daemon::Start(options, Clock::System());
  EXPECT_EQ(started.status().code(), absl::StatusCode::kFailedPrecondition) << started.status();
  EXPECT_THAT(std::string(started.status().message()),
              HasSubstr("restore --from " + Place("backup").string()));
  EXPECT_FALSE(fs::exists(Place("backup") / "lock"));
  const ConsistencyCheck seen = CheckConsistency({.data = Place("backup")}, Clock::System().Now());
  ASSERT_EQ(seen.findings.size(), 1u);
  EXPECT_THAT(seen.findings[0].what, HasSubstr("is a backup"));
  EXPECT_THAT(seen.findings[0].advice, HasSubstr("mozgach-scheduler restore"));
}

TEST_F(BackupTest, OfManyToOneFolderOneIsMadeAndTheOthersSayWhy) {
  SubmitOne("law");
  for (int round = 0; round < 20; ++round) {
    const std::string name = absl::StrCat("backup-", round);
    std::atomic<int> made = 0;
    std::vector<std::thread> people;
    for (int i = 0; i < 4; ++i) {
      people.emplace_back([&] {
        const auto backup = TryBackUp(name);
        made += backup.ok();
        const std::string said(backup.status().message());
        EXPECT_TRUE(backup.ok() || said.find("another backup to") != said.npos ||
                    said.find("is there already") != said.npos)
            << said;
      });
    }
    for (std::thread& person : people) person.join();
    EXPECT_EQ(made, 1);
    EXPECT_TRUE(ReadBackup(Place(name)).ok());
    EXPECT_FALSE(fs::exists(Place(name + ".partial")));
  }
}

TEST_F(BackupTest, BackupIntoTheDataDirectoryIsRefused) {
  fs::create_directory_symlink(Data(), Place("elsewhere"));
  fs::create_directory(Place("data-2"));
  for (const char* name : {"data/backup", "data/backups/today", "elsewhere/backup"}) {
    const auto inside = TryBackUp(name);
    EXPECT_EQ(inside.status().code(), absl::StatusCode::kInvalidArgument) << inside.status();
    EXPECT_FALSE(fs::exists(Place(name)));
  }
  EXPECT_TRUE(TryBackUp("data-2/backup").ok());
}

TEST_F(BackupTest, DamagedBackupIsRefusedAndTheTargetUntouched) {
  SubmitOne("law");
  MakeBackup("backup");
  std::string bytes = ReadFile(Place("backup") / kDatabaseName).value();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
  ASSERT_TRUE(WriteFileAtomically(Place("backup") / kDatabaseName, bytes).ok());
  const auto report = TryRestore("backup", Place("fresh"));
  EXPECT_EQ(report.status().code(), absl::StatusCode::kDataLoss) << report.status();
  EXPECT_FALSE(fs::exists(Place("fresh")));
}

TEST_F(BackupTest, FolderThatIsNoBackupAndNoFolderAreSaidSo) {
  const auto nowhere = TryRestore("nowhere", Place("fresh"));
  EXPECT_EQ(nowhere.status().code(), absl::StatusCode::kInvalidArgument) << nowhere.status();
  const auto empty = BackUp({.data = Place("nowhere"), .output = Place("backup")}, WallTime());
  EXPECT_EQ(empty.status().code(), absl::StatusCode::kNotFound) << empty.status();
  EXPECT_FALSE(fs::exists(Place("backup")));
  EXPECT_FALSE(fs::exists(Place("nowhere")));
}

TEST_F(BackupTest, NewerSchemaIsRefused) {
  MakeBackup("backup");
  {
    const auto database = Database::Open((Place("backup") / kDatabaseName).string());
    ASSERT_TRUE((*database)->Execute("PRAGMA user_version = 999").ok());
  }
  const auto report = RestoreBackup(
      {.from = Place("backup") / kDatabaseName, .data = Place("fresh")}, Clock::System().Now());
  EXPECT_EQ(report.status().code(), absl::StatusCode::kFailedPrecondition) << report.status();
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("999"));
  EXPECT_FALSE(fs::exists(Place("fresh")));
}

TEST_F(BackupTest, RestoreThatWasCutIsMadeAgainAndNoSchedulerStartsOnIt) {
  SubmitOne("law");
  MakeBackup("backup");
  ASSERT_TRUE(MakeDirectories(Place("fresh")).ok());
  ASSERT_TRUE(WriteFileAtomically(Place("fresh") / kRestoringName, "").ok());
  ASSERT_TRUE(WriteFileAtomically(Place("fresh") / kDatabaseName, "half a").ok());
  DaemonOptions options = Options();
  options.data = Place("fresh");
  const auto started = Daemon::Start(options, Clock::System());
  EXPECT_EQ(started.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(started.status().message()), HasSubstr("do it again"));
  ASSERT_TRUE(TryRestore("backup", Place("fresh")).ok());
  EXPECT_TRUE(Daemon::Start(options, Clock::System()).ok());
}

TEST_F(BackupTest, FileThatIsMissingIsNamedAndTheRestIsThere) {
  SubmitOne("law");
  RunOne(alpha_);
  fs::remove(Data() / "registry/adapters/law/v0001/adapter_model.safetensors");
  const BackupContents made = MakeBackup("backup");
  EXPECT_THAT(made.missing,
              ElementsAre(AllOf(HasSubstr("law/v0001/adapter_model.safetensors is missing"),
                                HasSubstr("law v0001"))));
  EXPECT_THAT(ReadBackup(Place("backup"))->missing, ElementsAre(HasSubstr("is missing")));
  EXPECT_TRUE(fs::exists(Place("backup") / "registry/adapters/law/v0001/manifest.json"));
}

}  // namespace
}  // namespace mozgach
