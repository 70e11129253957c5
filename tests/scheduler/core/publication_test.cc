// Publishing: exactly once, never in part, whatever stops it in the middle.
#include "scheduler/core/publication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "nlohmann/json.hpp"
#include "scheduler/core/attempt_life.h"
#include "tests/registry/weights.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PublicationTest : public Fleet {
 protected:
  void SetUp() override {
    job_ = SubmitOne("law");
    assignment_ = Claim(alpha_);
    result_ = Result();
  }
  // The steps of a publication, up to which a crash lets it come.
  enum Step { kNothing, kStaged, kIntended, kRevealed, kPublished };

  void PublishUpTo(Step step) {
    Version version = VersionOf(now_, state().queue.Get(job_).value(), 1, result_).value();
    ASSERT_THAT(FindBlobs(state(), version), IsEmpty());
    if (step >= kStaged) {
      ASSERT_TRUE(adapters_->Stage(version, *blobs_).ok());
    }
    if (step >= kIntended) {
      ASSERT_TRUE(RecordIntent(state(), now_, version, result_).ok());
    }
    if (step >= kRevealed) {
      ASSERT_TRUE(adapters_->Reveal(version).ok());
    }
    if (step >= kPublished) {
      ASSERT_TRUE(Conclude(state(), now_, version).ok());
    }
  }
  v1::SynchronizeResponse ReportFinished() {
    *alpha_.Reports(assignment_, v1::AttemptReport::FINISHED).mutable_result() = result_;
    return Call(alpha_);
  }
  void ExpectOneWholeVersion() {
    const std::vector<Version> versions = Versions();
    ASSERT_EQ(versions.size(), 1u);
    EXPECT_EQ(versions[0].number, 1);
    EXPECT_THAT(adapters_->files().Verify(adapters_->Get("law", "").value()).value(), IsEmpty());
    EXPECT_EQ(fs::read_symlink(RegistryRoot() / "adapters/law/latest"), "v0001");
    EXPECT_TRUE(fs::is_empty(RegistryRoot() / "staging"));
    const v1::Job job = Get(job_);
    EXPECT_EQ(job.state(), "succeeded");
    EXPECT_EQ(job.version(), "v0001");
    EXPECT_EQ(job.train_rows(), 10);
    EXPECT_EQ(nlohmann::json::parse(job.metrics_json())["adapter"]["eval_loss"], 1.0);
  }

  TestWorker alpha_{"alpha"};
  int64_t job_ = 0;
  v1::Assignment assignment_;
  v1::Result result_;
};

TEST_F(PublicationTest, FinishedJobHasItsVersion) {
  EXPECT_EQ(Named(ReportFinished(), job_)->desired(), v1::Assignment::PUBLISHED);
  ExpectOneWholeVersion();
  const auto manifest =
      nlohmann::json::parse(ReadFile(RegistryRoot() / "adapters/law/v0001/manifest.json").value());
  EXPECT_EQ(manifest["job"], job_);
  EXPECT_EQ(manifest["attempt"], 1);
  EXPECT_EQ(manifest["spec_digest"], Get(job_).spec_digest());
  EXPECT_EQ(manifest["dataset_digest"], Get(job_).dataset_digest());
  EXPECT_EQ(manifest["base"], kTiny);
  EXPECT_EQ(manifest["base_digest"], "base-digest");
  EXPECT_EQ(manifest["code_version"], "test");
}

TEST_F(PublicationTest, RepeatedReportGetsTheSameAnswer) {
  ReportFinished();
  EXPECT_EQ(Named(ReportFinished(), job_)->desired(), v1::Assignment::PUBLISHED);
  Restart();
  EXPECT_EQ(Named(ReportFinished(), job_)->desired(), v1::Assignment::PUBLISHED);
  ExpectOneWholeVersion();
  EXPECT_EQ(state().counters.stale_reports, 0);
}

TEST_F(PublicationTest, BlobsOfThePublishedGoAndDatasetsStay) {
  ReportFinished();
  for (const v1::File& file : result_.files()) EXPECT_FALSE(blobs_->Has(file.sha256()));
  EXPECT_TRUE(blobs_->Has(assignment_.datasets(0).sha256()));
}

TEST_F(PublicationTest, AdapterFileThatIsAlsoADatasetStays) {
  v1::File& file = *result_.add_files();
  file.set_path("train.jsonl");
  file.set_sha256(assignment_.datasets(0).sha256());
  ReportFinished();
  EXPECT_TRUE(blobs_->Has(assignment_.datasets(0).sha256()));
}

TEST_F(PublicationTest, CrashBeforeTheIntentLeavesNothing) {
  for (const Step step : {kNothing, kStaged}) {
    PublishUpTo(step);
    Restart();
    EXPECT_EQ(State(job_), "running") << "step " << step;
    EXPECT_THAT(Versions(), IsEmpty());
    EXPECT_TRUE(fs::is_empty(RegistryRoot() / "staging"));
  }
  ReportFinished();
  ExpectOneWholeVersion();
}

TEST_F(PublicationTest, CrashAfterTheIntentIsRedoneAtTheStart) {
  PublishUpTo(kIntended);
  EXPECT_EQ(State(job_), "running");
  EXPECT_THAT(Versions(), IsEmpty()) << "a version that can be seen is complete";
  Restart();
  ExpectOneWholeVersion();
  EXPECT_EQ(Named(ReportFinished(), job_)->desired(), v1::Assignment::PUBLISHED);
}

TEST_F(PublicationTest, CrashAfterTheRenameIsRedoneAtTheStart) {
  PublishUpTo(kRevealed);
  Restart();
  ExpectOneWholeVersion();
}

TEST_F(PublicationTest, CrashAfterTheSecondTransactionSetsTheLinkRight) {
  PublishUpTo(kPublished);
  fs::remove(RegistryRoot() / "adapters/law/latest");
  Restart();
  ExpectOneWholeVersion();
}

TEST_F(PublicationTest, AVersionThatCannotBeShownKeepsNoOtherBack) {
  PublishUpTo(kIntended);
  const int64_t other = SubmitOne("medicine");
  const v1::Assignment assignment = Claim(alpha_);
  ASSERT_EQ(assignment.job(), other);
  Version version = VersionOf(now_, state().queue.Get(other).value(), 1, Result()).value();
  ASSERT_THAT(FindBlobs(state(), version), IsEmpty());
  ASSERT_TRUE(adapters_->Stage(version, *blobs_).ok());
  ASSERT_TRUE(RecordIntent(state(), now_, version, Result()).ok());
  ASSERT_TRUE(WriteFileAtomically(RegistryRoot() / "adapters/law", "in the way").ok());
  Restart();
  EXPECT_EQ(State(job_), "running");
  EXPECT_EQ(State(other), "succeeded");
  fs::remove(RegistryRoot() / "adapters/law");
  Pass(Milliseconds(5'000));
  EXPECT_EQ(State(job_), "succeeded");
}

TEST_F(PublicationTest, NothingEndsAnAttemptThatIsPublishing) {
  PublishUpTo(kIntended);
  Cancel(job_);
  Pass(config_.lease * 2);
  ExpectOneWholeVersion();
}

TEST_F(PublicationTest, CancelWhilePublishingHoldsWhereTheStagedFilesAreGone) {
  PublishUpTo(kIntended);
  Cancel(job_);
  EXPECT_EQ(Submit({Domain("law")}).outcomes(0).outcome(), "unchanged") << "it may yet succeed";
  fs::remove_all(RegistryRoot() / "staging");
  Restart();
  EXPECT_EQ(State(job_), "cancelled");
  EXPECT_THAT(Versions(), IsEmpty());
}

TEST_F(PublicationTest, ReportWhilePublishingIsToBeRepeated) {
  PublishUpTo(kIntended);
  const v1::SynchronizeResponse response = ReportFinished();
  ASSERT_NE(Named(response, job_), nullptr);
  EXPECT_EQ(Named(response, job_)->desired(), v1::Assignment::RUN);
  EXPECT_EQ(state().counters.stale_reports, 0);
}

TEST_F(PublicationTest, LostStagingIsTrainedAgainUnderAnotherNumber) {
  PublishUpTo(kIntended);
  fs::remove_all(RegistryRoot() / "staging");
  Restart();
  EXPECT_EQ(State(job_), "queued");
  EXPECT_THAT(Versions(), IsEmpty());
  TestWorker beta("beta");
  RunOne(beta);
  ASSERT_EQ(Versions().size(), 1u);
  EXPECT_EQ(Versions()[0].number, 2) << "numbers are not used again";
  EXPECT_EQ(Versions()[0].attempt, 2);
}

TEST_F(PublicationTest, IntentOfAnAttemptThatIsOverIsRefused) {
  Version version = VersionOf(now_, state().queue.Get(job_).value(), 1, result_).value();
  FindBlobs(state(), version);
  ASSERT_TRUE(adapters_->Stage(version, *blobs_).ok());
  Pass(config_.lease);
  TestWorker beta("beta");
  EXPECT_EQ(Claim(beta).attempt(), 2);
  EXPECT_EQ(RecordIntent(state(), now_, version, result_).code(), absl::StatusCode::kAborted);
  EXPECT_THAT(adapters_->Unfinished().value(), IsEmpty());
  EXPECT_EQ(State(job_), "running");
}

// A lease in memory that the rows do not know: the transaction compares its number with the row's.
TEST_F(PublicationTest, ResultUnderAStaleLeaseIsRefused) {
  Lease stale = *state().leases.Find(job_);
  Pass(config_.lease);
  TestWorker beta("beta");
  ASSERT_EQ(Claim(beta).attempt(), 2);
  stale.expires_at = now_.since_boot + config_.lease;
  state().leases.Add(stale);
  EXPECT_EQ(Named(ReportFinished(), job_), nullptr);
  EXPECT_THAT(Versions(), IsEmpty());
  EXPECT_THAT(adapters_->Unfinished().value(), IsEmpty());
  EXPECT_EQ(state().attempts.Find(job_, 1).value()->state, "lost");
  EXPECT_EQ(state().attempts.Find(job_, 2).value()->state, "running");
  EXPECT_EQ(state().counters.publishes["refused"], 1);
  EXPECT_EQ(state().write_error, "") << "a refused result is not a write error";
}

TEST_F(PublicationTest, FailureUnderAStaleLeaseDoesNotEndTheRunningAttempt) {
  Lease stale = *state().leases.Find(job_);
  Pass(config_.lease);
  TestWorker beta("beta");
  ASSERT_EQ(Claim(beta).attempt(), 2);
  EXPECT_TRUE(absl::IsAborted(
      EndAttempt(state(), now_, stale, FailureClass::kUser, "of an attempt that is over")));
  EXPECT_EQ(State(job_), "running");
  EXPECT_EQ(state().leases.Find(job_)->attempt, 2);
}

TEST_F(PublicationTest, MissingBlobsAreAskedForAgain) {
  const std::string sha256 = result_.files(1).sha256();
  ASSERT_TRUE(blobs_->Remove(sha256).ok());
  const v1::SynchronizeResponse response = ReportFinished();
  const v1::Assignment* again = Named(response, job_);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->desired(), v1::Assignment::UPLOAD_AGAIN);
  ASSERT_EQ(again->missing_size(), 1);
  EXPECT_EQ(again->missing(0), sha256);
  PutBlob(Weights("tensors"));
  EXPECT_EQ(Named(ReportFinished(), job_)->desired(), v1::Assignment::PUBLISHED);
}

TEST_F(PublicationTest, RejectsUnusableAdaptersBeforeAVersionExists) {
  const auto expect_refused = [&](const v1::Result& result, const std::string& file) {
    result_ = result;
    EXPECT_EQ(Named(ReportFinished(), job_), nullptr) << file;
    const auto attempt = state().attempts.Find(job_, assignment_.attempt()).value();
    EXPECT_EQ(attempt->failure_class, "unknown");
    EXPECT_THAT(attempt->message, HasSubstr(file));
    EXPECT_THAT(Versions(), IsEmpty());
    EXPECT_TRUE(fs::is_empty(RegistryRoot() / "adapters"));
    alpha_.Forgets();
    Cancel(job_);
    job_ = SubmitOne("law");
    assignment_ = Claim(alpha_);
  };
  v1::Result no_weights = Result();
  no_weights.mutable_files()->DeleteSubrange(1, 1);
  expect_refused(no_weights, "adapter_model.safetensors is missing");
  expect_refused(Result("tensors", "mozgach/other"), "adapter_config.json: ");
  v1::Result not_json = Result();
  not_json.mutable_files(0)->set_sha256(PutBlob("{\"r\": 8"));
  expect_refused(not_json, "adapter_config.json: ");
  v1::Result clash = Result();
  *clash.add_files() = clash.files(0);
  clash.mutable_files(2)->set_path("Adapter_Config.json");
  expect_refused(clash, "Adapter_Config.json");
}

TEST_F(PublicationTest, WeightsThatAreNoneAreRefused) {
  const std::string pickle("\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x05posix\x94", 19);
  result_.mutable_files(1)->set_sha256(PutBlob(pickle));
  const v1::SynchronizeResponse response = ReportFinished();
  EXPECT_EQ(Named(response, job_), nullptr);
  EXPECT_THAT(state().attempts.Find(job_, assignment_.attempt()).value()->message,
              HasSubstr("adapter_model.safetensors: it is not a safetensors file"));
  EXPECT_THAT(Versions(), IsEmpty());
  EXPECT_EQ(state().counters.publishes.at("refused"), 1);
}

TEST_F(PublicationTest, RegistrysOwnFilesAreNotTheWorkersToWrite) {
  for (const char* name : {"manifest.json", "metrics.json"}) {
    v1::File& file = *result_.add_files();
    file.set_path(name);
    file.set_sha256(PutBlob("forged"));
  }
  ReportFinished();
  ExpectOneWholeVersion();
  EXPECT_NE(ReadFile(RegistryRoot() / "adapters/law/v0001/manifest.json").value(), "forged");
}

TEST_F(PublicationTest, SizesAreThoseOfTheBytes) {
  result_.mutable_files(1)->set_size(123456);
  ReportFinished();
  EXPECT_EQ(adapters_->Get("law", "")->files[1].size, Weights("tensors").size());
}

TEST_F(PublicationTest, ResultThatWouldLeaveItsDirectoryFailsTheAttempt) {
  int number = 0;
  for (const char* path : {"../../../../escaped", "/tmp/escaped", "a/../../escaped", "a\\b", ""}) {
    const int64_t job = SubmitOne(absl::StrCat("attack-", ++number));
    TestWorker mallory(absl::StrCat("mallory-", number));
    const v1::Assignment assignment = Claim(mallory);
    ASSERT_EQ(assignment.job(), job);
    v1::Result result = Result();
    result.mutable_files(0)->set_path(path);
    *mallory.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() = result;
    EXPECT_EQ(Named(Call(mallory), job), nullptr);
    EXPECT_EQ(Get(job).failure_class(), "unknown") << path;
    Cancel(job);
  }
  EXPECT_THAT(Versions(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(RegistryRoot() / "adapters"));
}

TEST_F(PublicationTest, MetricsThatAreNoObjectFailTheAttempt) {
  result_.set_metrics_json("[1, 2");
  EXPECT_EQ(Named(ReportFinished(), job_), nullptr);
  EXPECT_EQ(State(job_), "queued");
  EXPECT_EQ(Get(job_).failures(), 1);
}

TEST_F(PublicationTest, MetricsAreNumbersOfBaseAndAdapterAndNothingElse) {
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  const Job job = state().queue.Get(job_).value();
  for (const std::string& metrics :
       {"{\"adapter\": " + deep + "}", std::string(R"({"adapter": [1]})"),
        std::string(R"({"adapter": {"eval_loss": "low"}})"),
        std::string(R"({"adapter": {"eval_loss": {"a": 1}}})"), std::string(R"({"other": {}})"),
        "{\"adapter\": {\"" + std::string(100'000, 'x') + "\": 1}}"}) {
    result_.set_metrics_json(metrics);
    EXPECT_TRUE(absl::IsInvalidArgument(VersionOf(now_, job, job.attempt, result_).status()))
        << metrics.substr(0, 60);
  }
  result_.set_metrics_json(R"({"base": {"perplexity": null}, "adapter": {"exact_match": 1}})");
  EXPECT_TRUE(VersionOf(now_, job, job.attempt, result_).ok());
}

TEST_F(PublicationTest, ThreeBadResultsAreAFailure) {
  result_.clear_files();
  for (int i = 0; i < 3; ++i) {
    ReportFinished();
    alpha_.Forgets();
    assignment_ = Claim(alpha_);
  }
  EXPECT_EQ(State(job_), "failed");
  EXPECT_THAT(Get(job_).reason(), HasSubstr("the result has no files (3 attempts failed)"));
}

TEST_F(PublicationTest, SecondVersionOfADomainCountsUp) {
  ReportFinished();
  alpha_.Forgets();
  Submit({Domain("law", kTiny, 50, "other rows")});
  RunOne(alpha_);
  EXPECT_EQ(adapters_->Get("law", "latest")->number, 2);
  EXPECT_EQ(fs::read_symlink(RegistryRoot() / "adapters/law/latest"), "v0002");
}

}  // namespace
}  // namespace mozgach
