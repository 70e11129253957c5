#include "scheduler/core/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/digest.h"
#include "nlohmann/json.hpp"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SubmissionTest : public Fleet {
 protected:
  std::vector<std::string> Outcomes(const std::vector<v1::Submission>& domains, bool dry = false) {
    std::vector<std::string> outcomes;
    const auto response = TrySubmit(domains, dry);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return outcomes;
    for (const auto& outcome : response->outcomes()) outcomes.push_back(outcome.outcome());
    return outcomes;
  }
  int Jobs() {
    v1::ListRequest all;
    all.mutable_selector()->set_all(true);
    return core_->List(now_, all)->jobs_size();
  }
  static v1::Submission With(v1::Submission submission, const std::string& key,
                             const nlohmann::json& value) {
    auto spec = nlohmann::json::parse(submission.spec_json());
    spec[key] = value;
    submission.set_spec_json(spec.dump());
    return submission;
  }
};

TEST_F(SubmissionTest, NewThenUnchanged) {
  EXPECT_THAT(Outcomes({Domain("law"), Domain("medicine")}), ElementsAre("new", "new"));
  EXPECT_THAT(Outcomes({Domain("law"), Domain("medicine")}), ElementsAre("unchanged", "unchanged"));
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  EXPECT_THAT(Outcomes({Domain("law")}), ElementsAre("unchanged")) << "it runs";
  EXPECT_EQ(Jobs(), 2);
}

TEST_F(SubmissionTest, LostDatasetIsAskedForAgain) {
  const v1::Submission domain = Domain("law");
  const std::string sha256 = domain.datasets(0).sha256();
  Submit({domain});
  TestWorker alpha("alpha");
  for (const char* state : {"queued", "running", "succeeded"}) {
    ASSERT_TRUE(blobs_->Remove(sha256).ok());
    for (const bool dry : {true, false}) {
      const auto response = TrySubmit({domain}, dry);
      ASSERT_TRUE(response.ok()) << response.status();
      EXPECT_THAT(response->missing_blobs(), ElementsAre(sha256)) << state;
      EXPECT_EQ(response->outcomes(0).outcome(), "repaired") << state;
      EXPECT_THAT(response->outcomes(0).note(), HasSubstr("of job 1"));
    }
    PutBlob("rows");
    EXPECT_THAT(Outcomes({domain}), ElementsAre("unchanged")) << state;
    EXPECT_EQ(Jobs(), 1);
    if (std::string(state) == "queued") alpha.Reports(Claim(alpha));
    if (std::string(state) == "running") {
      const v1::Job job = Get(1);
      *alpha.Reports(job.job(), job.attempt(), v1::AttemptReport::FINISHED).mutable_result() =
          Result();
      Call(alpha);
      ASSERT_EQ(State(1), "succeeded");
    }
  }
}

TEST_F(SubmissionTest, SucceededIsUnchangedAsLongAsItsVersionIsThere) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  RunOne(alpha);
  EXPECT_THAT(Outcomes({Domain("law")}), ElementsAre("unchanged"));
  std::filesystem::remove_all(RegistryRoot() / "adapters" / "law" / "v0001");
  const v1::SubmitResponse response = Submit({Domain("law")});
  EXPECT_EQ(response.outcomes(0).outcome(), "requeued");
  EXPECT_THAT(response.outcomes(0).note(), HasSubstr("the version of job 1 is gone"));
  EXPECT_EQ(Get(response.outcomes(0).job()).retry_of(), 1);
}

TEST_F(SubmissionTest, ChangedDataSupersedesAQueuedJob) {
  const int64_t old = SubmitOne("law");
  const v1::SubmitResponse response = Submit({Domain("law", kTiny, 50, "other rows")});
  EXPECT_EQ(response.outcomes(0).outcome(), "changed");
  EXPECT_THAT(response.outcomes(0).note(), HasSubstr("supersedes job 1"));
  EXPECT_EQ(State(old), "cancelled");
  EXPECT_EQ(Get(old).reason(), "superseded by job 2");
  EXPECT_EQ(State(response.outcomes(0).job()), "queued");
}

TEST_F(SubmissionTest, ChangedSpecSupersedesARunningJob) {
  const int64_t old = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  alpha.Reports(assignment);
  Call(alpha);
  EXPECT_THAT(Outcomes({With(Domain("law"), "lora", {{"r", 16}})}), ElementsAre("changed"));
  EXPECT_EQ(Named(Call(alpha), old)->desired(), v1::Assignment::STOP);
  alpha.Reports(assignment, v1::AttemptReport::STOPPED);
  Call(alpha);
  EXPECT_EQ(State(old), "cancelled");
  EXPECT_EQ(Get(old).reason(), "superseded by job 2");
}

TEST_F(SubmissionTest, ChangedNamesTheKeysThatDiffer) {
  SubmitOne("law");
  v1::SubmitResponse response = Submit({With(Domain("law"), "lora", {{"r", 16}})});
  EXPECT_THAT(response.outcomes(0).changed_keys(), ElementsAre("lora.r"));
  v1::Submission other = With(Domain("law", kTiny, 70, "other rows"), "training",
                              {{"learning_rate", 1e-3}, {"num_train_epochs", 2}});
  response = Submit({other});
  EXPECT_THAT(response.outcomes(0).changed_keys(),
              ElementsAre("lora.r", "priority", "training.learning_rate",
                          "training.num_train_epochs", "data"));
  EXPECT_THAT(Submit({other}).outcomes(0).changed_keys(), IsEmpty());
}

TEST_F(SubmissionTest, NamesTheBaseThatWasMeant) {
  TestWorker alpha("alpha");
  Call(alpha);
  const auto note = [&](const std::string& domain, const std::string& base) {
    return Submit({Domain(domain, base)}).outcomes(0).note();
  };
  EXPECT_THAT(note("a", "mozgach/tinny"), HasSubstr("did you mean mozgach/tiny?"));
  EXPECT_THAT(note("b", "Mozgach/Tiny"), HasSubstr("did you mean mozgach/tiny?"));
  EXPECT_THAT(note("c", "other/tiny"), HasSubstr("did you mean mozgach/tiny?"));
  EXPECT_THAT(note("d", "meta/llama"), Not(HasSubstr("did you mean")));
  EXPECT_THAT(Explain(1).summary(), HasSubstr("did you mean mozgach/tiny?"));
}

TEST_F(SubmissionTest, ChangeOfASucceededDomainIsANewVersionLater) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  RunOne(alpha);
  EXPECT_THAT(Outcomes({Domain("law", kTiny, 50, "other rows")}), ElementsAre("changed"));
  EXPECT_EQ(State(1), "succeeded");
}

TEST_F(SubmissionTest, PriorityLabelsAndDescriptionAreUpdatedInPlace) {
  const int64_t job = SubmitOne("law");
  const int64_t rival = SubmitOne("medicine", kTiny, 60);
  v1::Submission update = With(Domain("law", kTiny, 90), "labels", {{"team", "law"}});
  update = With(update, "description", "Questions about the law");
  EXPECT_THAT(Outcomes({update}), ElementsAre("updated"));
  EXPECT_EQ(Get(job).priority(), 90);
  EXPECT_EQ(Get(job).labels().at("team"), "law");
  EXPECT_EQ(Get(job).description(), "Questions about the law");
  TestWorker alpha("alpha");
  EXPECT_EQ(Claim(alpha).job(), job) << "before " << rival;
  EXPECT_THAT(Outcomes({update}), ElementsAre("unchanged"));
}

TEST_F(SubmissionTest, FailedAndCancelledAreRequeuedAsNewJobs) {
  SubmitOne("law");
  Cancel(SubmitOne("medicine"));
  TestWorker alpha("alpha");
  alpha.Fails(Claim(alpha), v1::Failure::USER, "bad spec");
  Call(alpha);
  const v1::SubmitResponse response = Submit({Domain("law"), Domain("medicine")});
  ASSERT_EQ(response.outcomes_size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(response.outcomes(i).outcome(), "requeued");
    EXPECT_EQ(Get(response.outcomes(i).job()).retry_of(), i + 1);
  }
  EXPECT_EQ(State(1), "failed");
  EXPECT_EQ(State(2), "cancelled");
}

TEST_F(SubmissionTest, MissingDatasetsQueueNothing) {
  v1::Submission missing = Domain("law");
  missing.mutable_datasets(0)->set_sha256(Sha256Hex("never uploaded"));
  const v1::SubmitResponse response = Submit({Domain("medicine"), missing});
  EXPECT_THAT(response.missing_blobs(), ElementsAre(Sha256Hex("never uploaded")));
  EXPECT_EQ(Jobs(), 0);
  PutBlob("never uploaded");
  EXPECT_THAT(Outcomes({Domain("medicine"), missing}), ElementsAre("new", "new"));
}

TEST_F(SubmissionTest, DryRunChangesNothing) {
  EXPECT_THAT(Outcomes({Domain("law")}, true), ElementsAre("new"));
  EXPECT_EQ(Jobs(), 0);
  SubmitOne("law");
  EXPECT_THAT(Outcomes({Domain("law", kTiny, 50, "other rows"), Domain("medicine")}, true),
              ElementsAre("changed", "new"));
  EXPECT_EQ(Jobs(), 1);
  EXPECT_EQ(State(1), "queued");
}

TEST_F(SubmissionTest, BadSpecsRefuseTheWholeRequest) {
  const v1::Submission good = Domain("law");
  v1::Submission no_json = good, wrong_type = good, no_digest = good, no_role = good, extra = good;
  no_json.set_spec_json("{");
  wrong_type = With(Domain("medicine"), "priority", "high");
  no_digest.mutable_datasets(0)->set_sha256("../../x");
  no_role.mutable_datasets(0)->clear_role();
  *extra.add_datasets() = good.datasets(0);
  for (const v1::Submission& bad : {no_json, wrong_type, no_digest, no_role, extra}) {
    const auto response = TrySubmit({Domain("biology"), bad});
    EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(response.status().message()), HasSubstr("submission 2"));
  }
  EXPECT_EQ(Jobs(), 0);
}

TEST_F(SubmissionTest, DomainTwiceIsRefused) {
  const auto response = TrySubmit({Domain("law"), Domain("medicine"), Domain("law")});
  EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(response.status().message()),
              HasSubstr("'law' is there twice (submissions 1 and 3)"));
}

TEST_F(SubmissionTest, BaseThatNobodyHasIsNoted) {
  TestWorker alpha("alpha");
  Call(alpha);
  const v1::SubmitResponse response = Submit({Domain("law", kQwen), Domain("medicine")});
  EXPECT_EQ(response.outcomes(0).note(), "no worker has base Qwen/Qwen2.5-3B yet");
  EXPECT_EQ(response.outcomes(1).note(), "");
}

TEST_F(SubmissionTest, BaseThatAWorkerCannotUseIsNotedWithItsProblem) {
  TestWorker alpha("alpha");
  v1::Base& base = *alpha.request.add_bases();
  base.set_name(kQwen);
  base.set_problem("the base is quantised with GPTQ");
  Call(alpha);
  const v1::SubmitResponse response = Submit({Domain("law", kQwen)});
  EXPECT_THAT(response.outcomes(0).note(),
              HasSubstr("worker alpha cannot use its base Qwen/Qwen2.5-3B: the base is quantised "
                        "with GPTQ"));
  EXPECT_THAT(Get(response.outcomes(0).job()).reason(), HasSubstr("quantised with GPTQ"));
}

TEST_F(SubmissionTest, DatasetDigestSeesRoleOrderAndBytes) {
  v1::Dataset a, b;
  a.set_role(v1::Dataset::TRAIN);
  a.set_sha256(Sha256Hex("a"));
  b = a;
  b.set_sha256(Sha256Hex("b"));
  v1::Dataset test = b;
  test.set_role(v1::Dataset::TEST);
  EXPECT_NE(DatasetDigest({a, b}), DatasetDigest({b, a}));
  EXPECT_NE(DatasetDigest({a, b}), DatasetDigest({a, test}));
  v1::Dataset renamed = a;
  renamed.set_name("moved/train.jsonl");
  EXPECT_EQ(DatasetDigest({a, b}), DatasetDigest({renamed, b}));
}

TEST_F(SubmissionTest, WithoutANumberTheNewestEventsAreListed) {
  for (const char* domain : {"a", "b", "c"}) SubmitOne(domain);
  v1::ListEventsRequest request;
  request.set_limit(2);
  auto events = core_->ListEvents(now_, request);
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->events_size(), 2);
  EXPECT_EQ(events->events(0).domain(), "b");
  EXPECT_EQ(events->events(1).domain(), "c");
  request.set_after(1);
  events = core_->ListEvents(now_, request);
  EXPECT_EQ(events->events(0).event(), 2);
  request.set_domain("c");
  events = core_->ListEvents(now_, request);
  ASSERT_EQ(events->events_size(), 1);
  EXPECT_EQ(events->events(0).domain(), "c");
  request.set_after(0);
  request.set_domain("a");
  EXPECT_EQ(core_->ListEvents(now_, request)->events(0).domain(), "a");
  request.set_job(2);
  EXPECT_EQ(core_->ListEvents(now_, request)->events(0).domain(), "b");
}

TEST_F(SubmissionTest, EveryStepIsAnEvent) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  RunOne(alpha);
  v1::ListEventsRequest request;
  request.set_job(1);
  const auto events = core_->ListEvents(now_, request);
  ASSERT_TRUE(events.ok());
  std::vector<std::string> kinds;
  for (const v1::Event& event : events->events()) kinds.push_back(event.kind());
  EXPECT_THAT(kinds, ElementsAre("submitted", "claimed", "published"));
  EXPECT_EQ(events->events(0).actor(), "tester@here");
  EXPECT_EQ(events->events(1).actor(), "alpha");
}

TEST_F(SubmissionTest, TenThousandDomainsInOneRequest) {
  std::vector<v1::Submission> domains;
  const v1::Submission sample = Domain("law");
  for (int i = 0; i < 10000; ++i) {
    domains.push_back(With(sample, "domain", "domain-" + std::to_string(i)));
  }
  const auto response = TrySubmit(domains);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outcomes_size(), 10000);
  EXPECT_EQ(Jobs(), 10000);
}

}  // namespace
}  // namespace mozgach
