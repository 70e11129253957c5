// mozgachctl doctor and gc, the real program against a fake scheduler; and what it sees by itself.
#include "ctl/local/local_checks.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "security/certificate_authority.h"
#include "tests/ctl/fake_scheduler.h"
#include "tests/ctl/program.h"

namespace mozgach {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

class UpkeepCommandTest : public testing::Test, public ProgramTest {
 protected:
  Said Ctl(std::vector<std::string> words) {
    words.insert(words.begin(), {"--scheduler", scheduler_.address()});
    return RunCtl(words);
  }
  void Finds(const std::string& weight, const std::string& where) {
    v1::Finding& finding = *scheduler_.upkeep.checked.add_findings();
    finding.set_weight(weight);
    finding.set_where(where);
    finding.set_what("is missing");
    finding.set_advice("copy it back from a backup");
  }

  FakeScheduler scheduler_;
};

TEST_F(UpkeepCommandTest, DoctorIsContentWithExitCode0) {
  scheduler_.upkeep.checked.set_jobs(108);
  const Said said = Ctl({"doctor"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, HasSubstr("108 jobs"));
  EXPECT_FALSE(scheduler_.upkeep.consistency_checks.at(0).deep());
}

TEST_F(UpkeepCommandTest, DoctorTellsEachFindingOnALineProblemsFirstWithExitCode1) {
  Finds("note", "/data/blobs");
  Finds("problem", "/data/registry/adapters/law/v0001");
  const Said said = Ctl({"doctor", "--deep"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_EQ(said.out,
            "problem: /data/registry/adapters/law/v0001: is missing; copy it back from a backup\n"
            "note: /data/blobs: is missing; copy it back from a backup\n");
  EXPECT_THAT(said.err, HasSubstr("1 problem, 1 note"));
  EXPECT_TRUE(scheduler_.upkeep.consistency_checks.at(0).deep());
  const Said as_json = Ctl({"doctor", "--json"});
  EXPECT_EQ(as_json.exit_code, 1);
  EXPECT_EQ(json::parse(as_json.out)["findings"][0]["where"], "/data/registry/adapters/law/v0001");
}

TEST_F(UpkeepCommandTest, NotesAloneAreNoReasonForAnotherExitCode) {
  Finds("note", "/data/blobs");
  scheduler_.jobs.worker_state = "lost";
  const Said said = Ctl({"doctor"});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_THAT(said.out, HasSubstr("note: worker host1: has not called since"));
}

TEST_F(UpkeepCommandTest, ClocksThatDifferAreAProblem) {
  scheduler_.upkeep.checked.set_time("2001-01-01T00:00:00Z");
  const Said said = Ctl({"doctor"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.out, HasSubstr("problem: the clock of this host: is ahead of the scheduler's"));
}

TEST_F(UpkeepCommandTest, GcSaysWhatGoesAndADryRunIsOne) {
  v1::Garbage& item = *scheduler_.upkeep.collected.add_garbage();
  item.set_kind("version");
  item.set_name("law@v0001");
  item.set_why("not among the newest 3, and no alias points at it");
  item.set_bytes(5 << 20);
  v1::GarbageTotal& total = *scheduler_.upkeep.collected.add_totals();
  total.set_kind("version");
  total.set_count(1);
  total.set_bytes(5 << 20);
  const Said dry = Ctl({"gc", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("law@v0001"));
  EXPECT_THAT(dry.err, HasSubstr("nothing was removed"));
  const Said done = Ctl({"--json", "gc"});
  EXPECT_EQ(json::parse(done.out)["totals"][0]["count"], 1);
  ASSERT_EQ(scheduler_.upkeep.collections.size(), 2u);
  EXPECT_TRUE(scheduler_.upkeep.collections[0].dry_run());
  EXPECT_FALSE(scheduler_.upkeep.collections[1].dry_run());
  EXPECT_THAT(scheduler_.upkeep.collections[1].actor(), HasSubstr("@"));
}

TEST(LocalChecksTest, WorkerOfAnotherVersionAndBaseThatCannotBeUsed) {
  v1::CheckConsistencyResponse scheduler;
  scheduler.set_version("0.2.0");
  v1::ListWorkersResponse workers;
  v1::Worker& worker = *workers.add_workers();
  worker.set_worker("gpu-1");
  worker.set_state("up");
  worker.set_version("0.1.0");
  worker.add_devices()->set_name("cpu");
  v1::WorkerBase& base = *worker.add_base_details();
  base.set_base("org/name");
  base.set_problem("shard 2 is missing");
  const auto findings = CheckWorkers(scheduler, workers);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].weight(), "note");
  EXPECT_THAT(findings[1].what(), HasSubstr("shard 2 is missing"));
  worker.clear_devices();
  EXPECT_THAT(CheckWorkers(scheduler, workers)[0].what(), HasSubstr("none of its trainers starts"));
  worker.add_devices()->set_name("cpu");
  worker.set_version("0.2.0");
  worker.clear_base_details();
  EXPECT_THAT(CheckWorkers(scheduler, workers), IsEmpty());
}

class CertificateCheckTest : public testing::Test, public ProgramTest {};

TEST_F(CertificateCheckTest, OneThatEndsWithinAMonthIsAProblem) {
  const WallTime now = Clock::System().Now();
  const KeyAndCertificate authority = *MakeAuthority("fleet", now, 3650);
  const KeyAndCertificate issued = *IssueForCaller(authority, Role::kOperator, "ann", now, 40);
  Write("certificate.pem", issued.certificate_pem);
  EXPECT_THAT(CheckCertificate(root(), now), IsEmpty());
  const auto later = CheckCertificate(root(), now + std::chrono::hours(24 * 11));
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].weight(), "problem");
  EXPECT_THAT(CheckCertificate("", now), IsEmpty());
}

}  // namespace
}  // namespace mozgach
