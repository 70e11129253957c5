#include "registry/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "failpoint/failpoint.h"
#include "registry/migration.h"
#include "registry/query.h"
#include "scheduler/state/schema.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

constexpr char kInsert[] = "INSERT INTO t (x) VALUES (?1)";
constexpr char kCount[] = "SELECT count(*) FROM t";
constexpr char kSelect[] = "SELECT x FROM t ORDER BY rowid";
constexpr char kJournal[] = "PRAGMA journal_mode";
constexpr char kSynchronous[] = "PRAGMA synchronous";

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Database::Open((directory_.path() / "test.db").string());
    ASSERT_TRUE(opened.ok()) << opened.status();
    database_ = *std::move(opened);
    ASSERT_TRUE(database_->Execute("CREATE TABLE t (x TEXT NOT NULL) STRICT").ok());
  }
  int64_t Count() {
    Query count(*database_, kCount);
    return count.Next() ? count.Int(0) : -1;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_;
};

TEST_F(DatabaseTest, IsDurable) {
  Query journal(*database_, kJournal);
  ASSERT_TRUE(journal.Next());
  EXPECT_EQ(journal.Text(0), "wal");
  Query synchronous(*database_, kSynchronous);
  ASSERT_TRUE(synchronous.Next());
  EXPECT_EQ(synchronous.Int(0), 1) << "NORMAL: Sync() does the rest";
}

TEST_F(DatabaseTest, ASyncIsForAllThatWasCommitted) {
  for (const char* text : {"a", "b", "c"}) {
    Transaction transaction(*database_);
    ASSERT_TRUE(mozgach::Run(*database_, kInsert, text).ok());
    ASSERT_TRUE(transaction.Commit().ok());
  }
  EXPECT_EQ(database_->log_sync().syncs(), 0);
  EXPECT_TRUE(database_->Sync().ok());
  EXPECT_EQ(database_->log_sync().syncs(), 1);
}

// The system drops what it could not write and calls the next fsync a success.
TEST_F(DatabaseTest, ASyncThatFailedIsNotBelievedAfterwards) {
  ASSERT_TRUE(mozgach::Run(*database_, kInsert, "a").ok());
  ASSERT_TRUE(ArmFailpoints("registry.database.sync=error@1").ok());
  const absl::Status first = database_->Sync();
  EXPECT_TRUE(ArmFailpoints("").ok());
  EXPECT_FALSE(first.ok());
  EXPECT_EQ(database_->Sync(), first);
}

TEST_F(DatabaseTest, TextWithNulAndEmptyTextComeBack) {
  const std::string odd("a\0b", 3);
  ASSERT_TRUE(mozgach::Run(*database_, kInsert, odd).ok());
  ASSERT_TRUE(mozgach::Run(*database_, kInsert, std::string_view()).ok());
  Query rows(*database_, kSelect);
  ASSERT_TRUE(rows.Next());
  EXPECT_EQ(rows.Text(0), odd);
  ASSERT_TRUE(rows.Next());
  EXPECT_FALSE(rows.IsNull(0));
  EXPECT_EQ(rows.Text(0), "");
}

TEST_F(DatabaseTest, UncommittedTransactionIsUndone) {
  {
    Transaction transaction(*database_);
    ASSERT_TRUE(mozgach::Run(*database_, kInsert, "x").ok());
  }
  EXPECT_EQ(Count(), 0);
}

TEST_F(DatabaseTest, InnerTransactionIsUndoneAlone) {
  Transaction outer(*database_);
  ASSERT_TRUE(mozgach::Run(*database_, kInsert, "outer").ok());
  {
    Transaction inner(*database_);
    ASSERT_TRUE(mozgach::Run(*database_, kInsert, "inner").ok());
  }
  {
    Transaction inner(*database_);
    ASSERT_TRUE(mozgach::Run(*database_, kInsert, "kept").ok());
    ASSERT_TRUE(inner.Commit().ok());
  }
  ASSERT_TRUE(outer.Commit().ok());
  EXPECT_EQ(Count(), 2);
  EXPECT_EQ(database_->stats().commits, 1);
}

TEST_F(DatabaseTest, FullDiskIsResourceExhausted) {
  ASSERT_TRUE(database_->Execute("PRAGMA max_page_count = 8").ok());
  const std::string big(100000, 'x');
  Transaction transaction(*database_);
  ASSERT_TRUE(mozgach::Run(*database_, kInsert, "small").ok());
  const absl::Status status = mozgach::Run(*database_, kInsert, big);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("make room"));
}

TEST_F(DatabaseTest, AfterAFullDiskItGoesOn) {
  ASSERT_TRUE(database_->Execute("PRAGMA max_page_count = 8").ok());
  {
    Transaction transaction(*database_);
    EXPECT_FALSE(mozgach::Run(*database_, kInsert, std::string(100000, 'x')).ok());
  }
  EXPECT_EQ(Count(), 0);
  ASSERT_TRUE(database_->Execute("PRAGMA max_page_count = 10000").ok());
  Transaction transaction(*database_);
  ASSERT_TRUE(transaction.status().ok());
  EXPECT_TRUE(mozgach::Run(*database_, kInsert, std::string(100000, 'x')).ok());
  EXPECT_TRUE(transaction.Commit().ok());
  EXPECT_EQ(Count(), 1);
}

TEST_F(DatabaseTest, WrongTypeIsRefusedByStrictTable) {
  ASSERT_TRUE(database_->Execute("CREATE TABLE n (x INTEGER NOT NULL) STRICT").ok());
  static constexpr char kInsertNumber[] = "INSERT INTO n (x) VALUES (?1)";
  EXPECT_FALSE(mozgach::Run(*database_, kInsertNumber, "seven").ok());
}

TEST_F(DatabaseTest, GuardedWriteSaysWhetherItHappened) {
  ASSERT_TRUE(mozgach::Run(*database_, kInsert, "a").ok());
  static constexpr char kUpdate[] = "UPDATE t SET x = 'b' WHERE x = ?1";
  EXPECT_TRUE(RunGuarded(*database_, kUpdate, "a").value());
  EXPECT_FALSE(RunGuarded(*database_, kUpdate, "a").value());
}

TEST(MigrationTest, SchemaIsAppliedOnceAndAgainIsNothing) {
  auto database = Database::Open(":memory:");
  ASSERT_TRUE(Migrate(**database, Schema()).ok());
  EXPECT_TRUE(Migrate(**database, Schema()).ok());
  static constexpr char kVersion[] = "PRAGMA user_version";
  Query version(**database, kVersion);
  ASSERT_TRUE(version.Next());
  EXPECT_EQ(version.Int(0), Schema().back().number);
}

TEST(MigrationTest, NumbersCountUpFromOne) {
  int number = 0;
  for (const Migration& migration : Schema()) EXPECT_EQ(migration.number, ++number);
}

TEST(MigrationTest, NewerSchemaIsRefusedAndUntouched) {
  auto database = Database::Open(":memory:");
  ASSERT_TRUE((*database)->Execute("PRAGMA user_version = 999").ok());
  const absl::Status status = Migrate(**database, Schema());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("newer"));
  static constexpr char kTables[] = "SELECT count(*) FROM sqlite_schema";
  Query tables(**database, kTables);
  ASSERT_TRUE(tables.Next());
  EXPECT_EQ(tables.Int(0), 0);
}

TEST(MigrationTest, FailingStepLeavesTheFormerSchema) {
  auto database = Database::Open(":memory:");
  const std::vector<Migration> migrations = {
      {1, "good", "CREATE TABLE a (x TEXT) STRICT;"},
      {2, "bad", "CREATE TABLE b (x TEXT) STRICT; CREATE TABLE b (x TEXT) STRICT;"}};
  const absl::Status status = Migrate(**database, migrations);
  EXPECT_THAT(status.message(), HasSubstr("migration 2 (bad)"));
  static constexpr char kTables[] = "SELECT group_concat(name) FROM sqlite_schema";
  Query tables(**database, kTables);
  ASSERT_TRUE(tables.Next());
  EXPECT_EQ(tables.Text(0), "a");
}

TEST(DatabaseFileTest, FileThatIsNoDatabaseIsSaidSo) {
  TemporaryDirectory directory;
  const auto path = directory.path() / "mozgach.db";
  {
    auto opened = Database::Open(path.string());
    ASSERT_TRUE(opened.ok());
    ASSERT_TRUE(Migrate(**opened, Schema()).ok());
  }
  std::filesystem::resize_file(path, 0);
  std::filesystem::resize_file(path, 5000);  // zeros
  auto broken = Database::Open(path.string());
  const absl::Status status = broken.ok() ? Migrate(**broken, Schema()) : broken.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

}  // namespace
}  // namespace mozgach
