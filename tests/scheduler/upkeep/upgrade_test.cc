// A database of every schema that there has been is taken to today's, and a scheduler goes on with
// it.  schemas/make.py makes them.
#include <gmock/gmock.h>

#include <cstdlib>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/files.h"
#include "registry/migration.h"
#include "registry/query.h"
#include "scheduler/state/schema.h"
#include "tests/invariants/invariants.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

constexpr char kObjects[] =
    "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema "
    "WHERE name NOT LIKE 'sqlite_%'";
constexpr char kForeignKeys[] = "SELECT count(*) FROM pragma_foreign_key_check";

fs::path Schemas() {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  return fs::path(source == nullptr ? "." : source) / "tests" / "scheduler" / "schemas";
}

fs::path DumpOf(int schema) { return Schemas() / absl::StrFormat("%04d.sql", schema); }

std::map<std::string, std::string> Objects(Database& database) {
  std::map<std::string, std::string> objects;
  Query rows(database, kObjects);
  while (rows.Next()) objects[rows.Text(0)] = rows.Text(1);
  EXPECT_TRUE(rows.status().ok()) << rows.status();
  return objects;
}

class UpgradeTest : public Fleet, public ::testing::WithParamInterface<int> {
 protected:
  // The fleet goes on with what a scheduler of that schema has left.
  void SetUp() override {
    core_.reset();
    adapters_.reset();
    database_ = Database::Open((directory_.path() / "mozgach.db").string()).value();
    fs::remove_all(RegistryRoot());
    fs::copy(Schemas() / "registry", RegistryRoot(), fs::copy_options::recursive);
    PutBlob("rows");
    PutBlob(R"({"model_type": "llama", "hidden_size": 64})");
    const auto dump = ReadFile(DumpOf(GetParam()));
    ASSERT_TRUE(dump.ok()) << dump.status();
    const absl::Status loaded = database_->Execute(*dump);
    ASSERT_TRUE(loaded.ok()) << loaded;
    const absl::Status upgraded = Migrate(*database_, Schema());
    ASSERT_TRUE(upgraded.ok()) << upgraded;
    now_.wall = FromMillis(1'700'000'000'000) + Milliseconds(60'000);
  }

  std::vector<std::string> Problems() {
    return Invariants(RegistryRoot(), {.back_off_ms = 0}).Check(*database_);
  }
};

TEST_P(UpgradeTest, HasTheTablesOfAFreshDatabaseAndEveryRowRefersToWhatIsThere) {
  const auto fresh = Database::Open(":memory:").value();
  ASSERT_TRUE(Migrate(*fresh, Schema()).ok());
  EXPECT_EQ(Objects(*database_), Objects(*fresh));
  Query broken(*database_, kForeignKeys);
  ASSERT_TRUE(broken.Next());
  EXPECT_EQ(broken.Int(0), 0);
}

TEST_P(UpgradeTest, NothingOfItIsLost) {
  EXPECT_THAT(Problems(), IsEmpty());
  Restart();
  EXPECT_EQ(Get(1).state(), "succeeded");
  EXPECT_EQ(Get(1).attempt(), 2);
  EXPECT_EQ(State(2), "queued");
  EXPECT_EQ(State(3), "running");
  EXPECT_EQ(State(5), "failed");
  EXPECT_EQ(State(6), "cancelled");
  EXPECT_EQ(adapters_->Get("law", "champion")->number, 1);
  EXPECT_THAT(adapters_->files().Verify(adapters_->Get("law", "1").value()).value(), IsEmpty());
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_P(UpgradeTest, EveryJobEndsUnderTheSchedulerOfToday) {
  Restart();
  TestWorker alpha("alpha");
  // Its lease is from before; what was half published is trained again.
  *alpha.Reports(3, 1, v1::AttemptReport::FINISHED).mutable_result() = Result("of tax");
  EXPECT_EQ(Named(Call(alpha), 3)->desired(), v1::Assignment::PUBLISHED);
  alpha.Forgets();
  Pass(Milliseconds(60'000));
  for (int jobs = 0; jobs < 3; ++jobs) RunOne(alpha);
  for (const int64_t job : {2, 3, 4, 7}) EXPECT_EQ(State(job), "succeeded") << job;
  EXPECT_EQ(Versions().size(), 5u);
  EXPECT_EQ(Submit({Domain("music")}).outcomes(0).outcome(), "changed") << "of another time";
  RunOne(alpha);
  Invariants invariants(RegistryRoot(), {.back_off_ms = 0});
  EXPECT_THAT(invariants.CheckAtRest(*database_), IsEmpty());
}

std::vector<int> EverySchema() {
  std::vector<int> schemas;
  for (const Migration& migration : Schema()) {
    if (fs::exists(DumpOf(migration.number))) schemas.push_back(migration.number);
  }
  return schemas;
}

INSTANTIATE_TEST_SUITE_P(Schemas, UpgradeTest, ::testing::ValuesIn(EverySchema()),
                         [](const auto& info) { return absl::StrCat("From", info.param); });

TEST(SchemasTest, EachIsKeptOnceThereIsANewerOne) {
  for (const Migration& migration : Schema()) {
    if (migration.number == Schema().back().number) continue;
    EXPECT_TRUE(fs::exists(DumpOf(migration.number)))
        << "run tests/scheduler/schemas/make.py " << migration.number
        << ", and commit what it makes";
  }
}

}  // namespace
}  // namespace mozgach
