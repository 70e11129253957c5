// Jobs go where their plan fits; the others say what is missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <string>

#include "registry/migration.h"
#include "registry/query.h"
#include "scheduler/queries.h"
#include "scheduler/state/schema.h"
#include "tests/scheduler/placement/admission_fleet.h"

namespace mozgach {
namespace {

using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AdmissionTest : public AdmissionFleet {};

TEST_F(AdmissionTest, JobThatFitsNowhereWaitsAndSaysWhatIsMissing) {
  TestWorker small = Gpu("gpu7", 2 * kGiB, 4 * kGiB);
  Call(small);
  const int64_t job = Big("law");
  ASSERT_GT(Needs(job), 4 * kGiB);
  EXPECT_EQ(Claim(small).job(), 0);
  EXPECT_THAT(Get(job).reason(),
              ContainsRegex("worker gpu7: needs [0-9.]+ GiB with checkpointing; cuda:0 has 2.0 GiB "
                            "free of 4.0 GiB"));
  const v1::ExplainResponse explained = Explain(job);
  EXPECT_THAT(explained.lines(),
              Contains(ContainsRegex("it would fit with: .*data.max_length: [0-9]+.*a device with "
                                     "[0-9.]+ GiB")));
  TestWorker large = Gpu("gpu8", 2 * Needs(job));
  EXPECT_EQ(Claim(large).job(), job) << "a worker with more memory gets it at its first call";
}

TEST_F(AdmissionTest, WhatAnotherProgramTakesIsSeenAtTheNextCall) {
  const int64_t job = Small("law");
  TestWorker worker = Gpu("alpha", 16 * kGiB);
  Call(worker);
  ASSERT_GT(Needs(job), kGiB);
  SetMemory(worker, kGiB, 16 * kGiB);
  EXPECT_EQ(Claim(worker).job(), 0);
  EXPECT_THAT(Explain(job).lines(), Contains(HasSubstr("more are free there: something else")));
  SetMemory(worker, Needs(job), 16 * kGiB);
  EXPECT_EQ(Claim(worker).job(), job);
}

TEST_F(AdmissionTest, SmallJobsGoOnBehindOneThatDoesNotFit) {
  TestWorker worker = Gpu("alpha", 4 * kGiB);
  Call(worker);
  const int64_t big = Big("big", 90), small = Small("small", 10);
  EXPECT_EQ(Claim(worker).job(), small);
  TestWorker large = Gpu("beta", 64 * kGiB);
  const int64_t later = Small("later", 10);
  EXPECT_EQ(Claim(large).job(), big) << "where both fit, priority counts";
  EXPECT_EQ(State(later), "queued");
}

TEST_F(AdmissionTest, ConfigIsAskedForBeforeAJobIsGiven) {
  const int64_t job = Big("law");
  TestWorker worker = Gpu("alpha", 4 * kGiB);
  worker.request.mutable_bases(0)->clear_config_json();
  worker.Says(1);
  const v1::SynchronizeResponse first = Call(worker);
  EXPECT_THAT(first.wanted_configs(), ElementsAre(kQwen));
  EXPECT_THAT(first.assignments(), IsEmpty());
  EXPECT_EQ(Needs(job), 0u);
  Tells(worker, kModelConfig);
  EXPECT_THAT(Call(worker).wanted_configs(), IsEmpty());
  EXPECT_GT(Needs(job), 4 * kGiB);
  EXPECT_EQ(State(job), "queued");
  Restart();
  worker.request.mutable_bases(0)->clear_config_json();
  EXPECT_THAT(Call(worker).wanted_configs(), IsEmpty()) << "it is kept";
  EXPECT_EQ(State(job), "queued");
}

TEST_F(AdmissionTest, BaseThatCannotBePlannedIsAdmittedAsBefore) {
  TestWorker worker = Gpu("alpha", kMiB);
  Tells(worker, R"({"model_type": "mamba"})");
  Call(worker);
  const int64_t job = Big("law");
  EXPECT_THAT(Explain(job).lines(), Contains(HasSubstr("its memory is not planned: ")));
  EXPECT_EQ(Claim(worker).job(), job);
  TestWorker silent("beta", {kTiny});
  SetMemory(silent, 1, 1);
  const int64_t other = SubmitOne("other");
  Call(silent);
  EXPECT_THAT(Explain(other).lines(), Contains(HasSubstr("does not know the config.json")));
  EXPECT_EQ(Claim(silent).job(), other);
}

TEST_F(AdmissionTest, HostileConfigsAreNoPlanAndNoCrash) {
  TestWorker liar = Gpu("liar", kMiB);
  Tells(liar, kModelConfig);
  liar.request.mutable_bases(0)->set_config_json("other bytes");
  EXPECT_THAT(Call(liar).wanted_configs(), ElementsAre(kQwen)) << "not of its digest";
  liar.request.mutable_bases(0)->set_config_json(std::string(300 << 10, 'x'));
  EXPECT_EQ(CheckRequest(liar.request).code(), absl::StatusCode::kInvalidArgument);
  liar.request.mutable_bases(0)->set_config_json("");
  liar.request.mutable_bases(0)->set_config_digest("../x");
  EXPECT_EQ(CheckRequest(liar.request).code(), absl::StatusCode::kInvalidArgument);
  const std::string deep(200 << 10, '[');
  TestWorker worker = Gpu("alpha", kMiB);
  for (const std::string& config :
       {std::string("no json"), std::string("[1]"), std::string("\"x\""), deep,
        std::string(R"({"model_type": "qwen2", "vocab_size": 16777216, "hidden_size": 16777216,
            "intermediate_size": 16777216, "num_hidden_layers": 4096, "num_attention_heads": 1,
            "num_key_value_heads": 1, "max_position_embeddings": 16777216})"),
        std::string(R"({"model_type": "qwen2", "num_hidden_layers": -1, "hidden_size": 1e99})")}) {
    Tells(worker, config);
    Call(worker);
    const int64_t job = Small("law");
    EXPECT_EQ(Needs(job), 0u) << config.substr(0, 80);
    ASSERT_EQ(state().configs.Find(kQwen)->digest, Sha256Hex(config));
    Cancel(job);
  }
}

TEST_F(AdmissionTest, AnotherConfigDoesNotCountWhileItsTellerHasTheBase) {
  TestWorker alpha = Gpu("alpha", 4 * kGiB), beta = Gpu("beta", 4 * kGiB);
  Call(alpha);
  const int64_t job = Small("law");
  const uint64_t needs = Needs(job);
  std::string half = kModelConfig;
  half.replace(half.find("36"), 2, "18");
  Tells(beta, half);
  Call(beta);
  EXPECT_EQ(Needs(job), needs);
  Tells(alpha, half);
  Call(alpha);
  EXPECT_LT(Needs(job), needs) << "the worker changed its config: the shapes are planned again";
}

TEST_F(AdmissionTest, ExplicitFalseWaitsUntilMemoryRanOutOnce) {
  const nlohmann::json keep = {{"data", {{"max_length", 8192}}},
                               {"training", {{"gradient_checkpointing", "false"}}}};
  TestWorker worker = Gpu("alpha", 64 * kGiB);
  Call(worker);
  const int64_t automatic = Ask("auto", {{"data", {{"max_length", 8192}}}});
  const int64_t job = Ask("keep", keep);
  ASSERT_GT(Needs(job), 2 * Needs(automatic));
  SetMemory(worker, Needs(job) - 1, 64 * kGiB);
  worker.Reports(Claim(worker));
  EXPECT_EQ(State(automatic), "running");
  EXPECT_EQ(Claim(worker).job(), 0);
  EXPECT_THAT(Get(job).reason(), Not(HasSubstr("with checkpointing")));

  SetMemory(worker, Needs(job), 64 * kGiB);
  const v1::Assignment assignment = Claim(worker);
  ASSERT_EQ(assignment.job(), job);
  worker.Fails(assignment, v1::Failure::OUT_OF_MEMORY, "out of memory");
  v1::AttemptReport& report = worker.Reports(assignment, v1::AttemptReport::FAILED);
  report.set_pinned_json(R"({"rung": 2})");
  report.set_stepped_down("layers are checkpointed");
  Call(worker);
  EXPECT_EQ(State(job), "queued");
  EXPECT_EQ(Needs(job), Needs(Ask("again", {{"data", {{"max_length", 8192}}}})));
}

TEST_F(AdmissionTest, RowsThatAreShortNeedLess) {
  TestWorker worker = Gpu("alpha", 64 * kGiB);
  Call(worker);
  v1::Submission submission = Domain("short", kQwen);
  auto spec = nlohmann::json::parse(submission.spec_json());
  spec["data"]["max_length"] = 32768;
  submission.set_spec_json(spec.dump());
  submission.mutable_train_rows()->set_rows(100);
  submission.mutable_train_rows()->set_tokens(9000);
  submission.mutable_train_rows()->set_longest(128);
  *submission.mutable_validation_rows() = submission.train_rows();
  const int64_t job = Submit({submission}).outcomes(0).job();
  EXPECT_LT(Needs(job), Needs(Big("long")));
  const uint64_t needs = Needs(job);
  worker.Says(0);
  Cancel(job);
  v1::RetryRequest retry;
  retry.mutable_selector()->add_domains("short");
  const auto retried = core_->Retry(now_, retry);
  ASSERT_TRUE(retried.ok());
  EXPECT_EQ(Needs(retried->jobs(0).job()), needs) << "a retry knows its rows";
}

TEST_F(AdmissionTest, EachDeviceGetsWhatFitsItAndIsNamed) {
  TestWorker worker = Gpu("alpha", 4 * kGiB);
  worker.request.mutable_devices(0)->set_free_slots(1);
  v1::Device& second = *worker.request.add_devices();
  second = worker.request.devices(0);
  second.set_name("cuda:1");
  second.set_memory_free_bytes(64 * kGiB);
  second.set_memory_total_bytes(64 * kGiB);
  Call(worker);
  const int64_t small = Small("small", 90), big = Big("big");
  worker.Says(2);
  const v1::SynchronizeResponse response = Call(worker);
  ASSERT_EQ(response.assignments_size(), 2);
  EXPECT_EQ(Named(response, small)->device(), "cuda:0") << "the large one is left to the large job";
  EXPECT_EQ(Named(response, big)->device(), "cuda:1");
  EXPECT_EQ(Call(worker).assignments_size(), 2) << "the same again, no more";
}

TEST_F(AdmissionTest, ReservedMemoryNeverExceedsADevice) {
  TestWorker worker = Gpu("alpha", 64 * kGiB);
  Call(worker);
  const int64_t job = Small("law");
  SetMemory(worker, Needs(job), 64 * kGiB);
  EXPECT_EQ(Claim(worker).job(), job);
  EXPECT_LE(state().leases.Find(job)->reserved_bytes,
            worker.request.devices(0).memory_free_bytes());
  EXPECT_GT(state().leases.Find(job)->reserved_bytes, kGiB);
}

TEST_F(AdmissionTest, ClaimsReadNoMoreThanTheHeadOfEachShape) {
  Query plan(*database_,
             "EXPLAIN QUERY PLAN SELECT job FROM jobs WHERE state = 'queued' AND "
             "ready = 1 AND shape = 7 ORDER BY priority DESC, job LIMIT 1");
  ASSERT_TRUE(plan.Next());
  EXPECT_THAT(plan.Text(3), HasSubstr("jobs_claim (shape=?)"));
  EXPECT_FALSE(plan.Next()) << "no sorting: " << plan.Text(3);
  static const std::string explain =
      absl::StrCat("EXPLAIN QUERY PLAN ", scheduler_sql::kHeadsWaiting);
  Query claim(*database_, explain.c_str(), "{}", true);
  std::string steps;
  while (claim.Next()) absl::StrAppend(&steps, claim.Text(3), "\n");
  EXPECT_THAT(steps, HasSubstr("shapes USING INDEX shapes_waiting (base_key=?)"));
  EXPECT_THAT(steps, HasSubstr("head USING INTEGER PRIMARY KEY"));
  EXPECT_THAT(steps, Not(HasSubstr("SCAN jobs")));
  EXPECT_THAT(steps, Not(HasSubstr("SCAN head")));
}

// What they, their triggers and the checks of their tables do is all that a cycle of a job writes.
TEST_F(AdmissionTest, StatementsOfACycleMakeNoTablesOfTheirOwn) {
  namespace sql = scheduler_sql;
  const auto database = Database::Open(":memory:").value();
  ASSERT_TRUE(Migrate(*database, Schema()).ok());
  // Without what removes the files of a checkpoint that is there: few jobs have one when they end.
  ASSERT_TRUE(database->Execute("PRAGMA foreign_keys=OFF").ok());
  for (const char* statement :
       {sql::kHeadsWaiting, sql::kClaim, sql::kJob, sql::kInsertAttempt, sql::kInsertLease,
        sql::kInsertEvent, sql::kRecordProgress, sql::kBeginPublishing, sql::kEndAttempt,
        sql::kEndLease, sql::kEndJob, sql::kRequeue}) {
    static std::deque<std::string> explained;  // as long as the program, as a Query wants it
    explained.push_back(absl::StrCat("EXPLAIN ", statement));
    std::set<std::string> steps;
    Query program(*database, explained.back().c_str());
    while (program.Next()) steps.insert(program.Text(1));
    ASSERT_TRUE(program.status().ok()) << program.status();
    EXPECT_GT(steps.size(), 5u);
    EXPECT_FALSE(steps.contains("OpenEphemeral")) << statement;
    EXPECT_FALSE(steps.contains("SorterOpen")) << statement;
  }
}

TEST_F(AdmissionTest, StatesAreThoseThatThereAre) {
  TestWorker worker = Gpu("alpha", 64 * kGiB);
  Call(worker);
  const int64_t job = Small("law");
  EXPECT_TRUE(absl::IsAborted(database_->Execute("UPDATE jobs SET state = 'strange'")));
  Claim(worker);
  EXPECT_TRUE(absl::IsAborted(database_->Execute("UPDATE attempts SET state = 'strange'")));
  EXPECT_TRUE(absl::IsAborted(database_->Execute("UPDATE jobs SET attempt = 0")));
  EXPECT_EQ(State(job), "running");
  Cancel(job);
  Pass(Milliseconds(60'000));
  ASSERT_EQ(State(job), "cancelled");
  EXPECT_TRUE(absl::IsAborted(database_->Execute("UPDATE jobs SET state = 'queued'")));
}

TEST_F(AdmissionTest, ShapesAreFewAndKnowHowManyWait) {
  TestWorker worker = Gpu("alpha", 64 * kGiB);
  Call(worker);
  for (int i = 0; i < 50; ++i) Small(absl::StrCat("domain", i));
  Query shapes(*database_, "SELECT count(*), sum(waiting) FROM shapes");
  ASSERT_TRUE(shapes.Next());
  EXPECT_EQ(shapes.Int(0), 1);
  EXPECT_EQ(shapes.Int(1), 50);
  const v1::Assignment assignment = Claim(worker);
  worker.Fails(assignment, v1::Failure::INFRASTRUCTURE, "the trainer died");
  Call(worker);
  Cancel(2);
  Query after(*database_,
              "SELECT (SELECT sum(waiting) FROM shapes), "
              "(SELECT count(*) FROM jobs WHERE state = 'queued' AND ready = 1)");
  ASSERT_TRUE(after.Next());
  EXPECT_EQ(after.Int(0), 48);
  EXPECT_EQ(after.Int(0), after.Int(1));
  worker.Forgets();
  Pass(Milliseconds(60'000));
  Query woken(*database_, "SELECT sum(waiting) FROM shapes");
  ASSERT_TRUE(woken.Next());
  EXPECT_EQ(woken.Int(0), 49);
}

TEST_F(AdmissionTest, DatabaseFromBeforeIsPlannedWhenTheSchedulerStarts) {
  auto old = Database::Open(":memory:").value();
  std::vector<Migration> former(Schema().begin(), Schema().begin() + 3);
  ASSERT_TRUE(Migrate(*old, former).ok());
  const std::string spec = nlohmann::json::parse(Domain("law", kQwen).spec_json()).dump();
  for (const char* state : {"queued", "running", "succeeded"}) {
    ASSERT_TRUE(mozgach::Run(*old,
                             "INSERT INTO jobs (domain, state, base, base_key, priority, ready, "
                             "attempt, spec_digest, dataset_digest, created_ms, queued_ms) VALUES "
                             "('law', ?1, ?2, ?2, 50, 1, ?3, 's', 'd', 0, 0)",
                             state, kQwen, std::string(state) == "queued" ? 0 : 1)
                    .ok());
    ASSERT_TRUE(mozgach::Run(*old, "INSERT INTO job_details (job, spec_json) VALUES (?1, ?2)",
                             old->LastInsertedRow(), spec)
                    .ok());
  }
  ASSERT_TRUE(mozgach::Run(*old,
                           "INSERT INTO attempts (job, attempt, worker, state, started_ms) VALUES "
                           "(2, 1, 'alpha', 'running', 0)")
                  .ok());
  ASSERT_TRUE(mozgach::Run(*old,
                           "INSERT INTO leases (job, attempt, worker, incarnation, granted_ms) "
                           "VALUES (2, 1, 'alpha', 'first', 0)")
                  .ok());
  ASSERT_TRUE(Migrate(*old, Schema()).ok());
  core_.reset();
  database_ = std::move(old);
  Restart();
  TestWorker worker = Gpu("beta", kMiB);
  Call(worker);
  EXPECT_GT(Needs(1), kGiB);
  EXPECT_EQ(Claim(worker).job(), 0);
  Pass(config_.lease + Milliseconds(1));
  EXPECT_EQ(State(2), "queued");
  EXPECT_GT(Needs(2), kGiB) << "what ran has its shape when it is queued again";
  SetMemory(worker, 64 * kGiB, 64 * kGiB);
  EXPECT_EQ(Claim(worker).job(), 1);
}

}  // namespace
}  // namespace mozgach
