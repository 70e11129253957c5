// mozgachctl submit, the real program against a fake scheduler.
#include <thread>

#include "common/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/ctl/fake_scheduler.h"
#include "tests/ctl/program.h"

namespace mozgach {
namespace {
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr char kRow[] = "{\"instruction\": \"a\", \"output\": \"b\"}\n";

class SubmitTest : public testing::Test, public ProgramTest {
 protected:
  // A domain file `name`.yaml whose rows are in `name`.jsonl.
  std::string Domain(const std::string& name, const std::string& rows = kRow) {
    Write(name + ".jsonl", rows);
    return Write(name + ".yaml",
                 "domain: " + name + "\nbase: mozgach/tiny\ndata: {train: " + name + ".jsonl}\n")
        .string();
  }

  Said Submit(std::vector<std::string> words) {
    words.insert(words.begin(), {"--scheduler", scheduler_.address(), "submit"});
    return RunCtl(words);
  }

  FakeScheduler scheduler_;
};

TEST_F(SubmitTest, MissingDatasetsAreUploadedAndTheDomainsSubmittedAgain) {
  const Said said = Submit({Domain("law"), Domain("tax", std::string(kRow) + kRow)});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("law     new        1"));
  EXPECT_THAT(said.err, HasSubstr("2 new"));
  ASSERT_EQ(scheduler_.jobs.submits.size(), 2u);
  EXPECT_EQ(scheduler_.blobs.blobs[Sha256Hex(kRow)], kRow);
  EXPECT_THAT(scheduler_.blobs.blobs, SizeIs(2));
  const v1::Submission& sent = scheduler_.jobs.submits[1].domains(0);
  EXPECT_EQ(json::parse(sent.spec_json())["data"]["train"], json::array({"law.jsonl"}));
  EXPECT_EQ(sent.datasets(0).role(), v1::Dataset::TRAIN);
  EXPECT_EQ(sent.datasets(0).name(), "law.jsonl");
  EXPECT_EQ(sent.datasets(0).size(), sizeof(kRow) - 1);
  EXPECT_THAT(scheduler_.jobs.submits[1].actor(), HasSubstr("@"));
}

TEST_F(SubmitTest, ABrokenUploadGoesOnWhereItStopped) {
  std::string rows;
  while (rows.size() < (5 << 19)) rows += kRow;  // two and a half pieces
  scheduler_.blobs.breaks = 2;
  const Said said = Submit({Domain("law", rows)});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(scheduler_.blobs.blobs[Sha256Hex(rows)], rows);
  EXPECT_THAT(scheduler_.blobs.offsets, ElementsAre(0, 1 << 20, 2 << 20));
}

TEST_F(SubmitTest, AnUploadThatIsHereInPartGoesOnThere) {
  scheduler_.blobs.partial[Sha256Hex(kRow)] = std::string(kRow).substr(0, 10);
  EXPECT_EQ(Submit({Domain("law")}).exit_code, 0);
  EXPECT_THAT(scheduler_.blobs.offsets, ElementsAre(10));
  EXPECT_EQ(scheduler_.blobs.blobs[Sha256Hex(kRow)], kRow);
}

TEST_F(SubmitTest, WrongBytesOfAnEarlierUploadAreSentAgainFromTheStart) {
  scheduler_.blobs.partial[Sha256Hex(kRow)] = "wrong";
  EXPECT_EQ(Submit({Domain("law")}).exit_code, 0);
  EXPECT_THAT(scheduler_.blobs.offsets, ElementsAre(5, 0));
}

TEST_F(SubmitTest, EveryProblemOfEveryFileIsToldAndNothingIsSent) {
  const std::string good = Domain("good");
  const std::string rows = Domain("rows", std::string(kRow) + "{\"instruction\": \"a\"}\n[\n");
  const std::string typo =
      Write("typo.yaml", "domain: typo\nbase: a\ndata: {train: good.jsonl}\nprioriti: 1\n")
          .string();
  const Said said = Submit({good, rows, typo, (root() / "none.yaml").string()});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.err, HasSubstr("rows.jsonl:2: "));
  EXPECT_THAT(said.err, HasSubstr("rows.jsonl:3: "));
  EXPECT_THAT(said.err,
              HasSubstr(typo + ":4:1: unknown key 'prioriti', did you mean 'priority'?\n"));
  EXPECT_THAT(said.err, HasSubstr("none.yaml"));
  EXPECT_THAT(said.err, HasSubstr("nothing was submitted"));
  EXPECT_EQ(said.out, "");
  EXPECT_TRUE(scheduler_.jobs.submits.empty());
  EXPECT_THAT(scheduler_.blobs.blobs, IsEmpty());
}

TEST_F(SubmitTest, ADomainThatComesTwiceNamesBothFiles) {
  const std::string first = Domain("law");
  const std::string second =
      Write("again.yaml", "domain: law\nbase: a\ndata: {train: law.jsonl}\n").string();
  const Said said = Submit({first, second});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.err, AllOf(HasSubstr(first), HasSubstr(second)));
  EXPECT_TRUE(scheduler_.jobs.submits.empty());
}

TEST_F(SubmitTest, ADirectoryIsAnErrorThatSaysWhatToType) {
  const Said said = Submit({root().string()});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.err, HasSubstr(root().string() + "/*.yaml"));
}

TEST_F(SubmitTest, ADryRunUploadsNothing) {
  const Said said = Submit({"--dry-run", Domain("law")});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.err, HasSubstr("nothing was queued"));
  ASSERT_EQ(scheduler_.jobs.submits.size(), 1u);
  EXPECT_TRUE(scheduler_.jobs.submits[0].dry_run());
  EXPECT_THAT(scheduler_.blobs.blobs, IsEmpty());
}

TEST_F(SubmitTest, JsonIsTheOutcomes) {
  const Said said = Submit({Domain("law"), "--json"});
  EXPECT_EQ(json::parse(said.out),
            json::parse(R"([{"domain": "law", "outcome": "new", "job": 1, "note": "",
                             "notices": ["the training data is a single row"],
                             "changed_keys": []}])"));
}

TEST_F(SubmitTest, NoticesAreSentAndPrintedBelowTheTable) {
  const std::string rows = std::string(kRow) + "{\"text\": \"t\", \"ide\": 1}\n" + kRow;
  const Said said = Submit({"--dry-run", Domain("law", rows), Domain("tax", rows)});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  const v1::Submission& sent = scheduler_.jobs.submits[0].domains(0);
  EXPECT_TRUE(sent.conversations());
  EXPECT_THAT(sent.notices(), ElementsAre("1 of 3 rows of the training data repeats an earlier row",
                                          "law.jsonl: keys that are not used: 'ide' (1 row)"));
  EXPECT_THAT(said.err, HasSubstr("notice: law, tax: 1 of 3 rows of the training data repeats"));
  EXPECT_THAT(said.err, HasSubstr("notice: law: law.jsonl: keys that are not used"));
}

TEST_F(SubmitTest, UntrainedTurnOfADomainThatTrainsAllIsAnError) {
  Write("law.jsonl",
        "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\", \"weight\": 0}, "
        "{\"role\": \"user\", \"content\": \"b\"}, "
        "{\"role\": \"assistant\", \"content\": \"c\"}]}\n");
  const std::string file = Write("law.yaml",
                                 "domain: law\nbase: a\ndata: {train: law.jsonl, "
                                 "completion_only_loss: false}\n")
                               .string();
  const Said said = Submit({file});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.err, HasSubstr("law.jsonl:1: a turn says that it is not trained"));
}

TEST_F(SubmitTest, WaitShowsChangesAsLinesAndEndsWithTheTable) {
  v1::WatchResponse running, done;
  v1::Job job = MakeJob(1, "law", "running");
  job.set_worker("host1");
  job.set_phase("training");
  *running.add_jobs() = job;
  v1::Job end = MakeJob(1, "law", "succeeded");
  end.set_version("v0001");
  *done.add_jobs() = end;
  scheduler_.jobs.changes = {running, done};
  scheduler_.jobs.watches_cut_off = 1;  // the scheduler restarts in between
  const Said said = Submit({"--wait", Domain("law")});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.err, HasSubstr("law: running, on host1, training\n"));
  EXPECT_THAT(said.out, HasSubstr("v0001"));
  EXPECT_THAT(said.out + said.err, Not(HasSubstr("\x1b")));
  ASSERT_EQ(scheduler_.jobs.watches.size(), 2u);
  EXPECT_THAT(scheduler_.jobs.watches[0].selector().jobs(), ElementsAre(1));
}

TEST_F(SubmitTest, WaitFailsWhenAJobFailsOrIsCancelled) {
  v1::WatchResponse response;
  *response.add_jobs() = MakeJob(1, "law", "succeeded");
  *response.add_jobs() = MakeJob(2, "tax", "cancelled");
  scheduler_.jobs.changes = {response};
  const Said said = Submit({"--wait", "--json", Domain("law"), Domain("tax")});
  EXPECT_EQ(said.exit_code, 1);
  const json outcomes = json::parse(said.out);
  EXPECT_EQ(outcomes[1]["state"], "cancelled");
  EXPECT_EQ(outcomes[1]["outcome"], "new");
}

TEST_F(SubmitTest, CtrlCDetachesAndSaysThatTheJobsGoOn) {
  v1::WatchResponse response;
  *response.add_jobs() = MakeJob(1, "law", "queued");
  scheduler_.jobs.changes = {response};
  scheduler_.jobs.watch_hangs = true;
  const pid_t pid =
      StartCtl({"--scheduler", scheduler_.address(), "submit", "--wait", Domain("law")});
  ASSERT_GT(pid, 0) << "mozgachctl did not start";
  for (int i = 0; i < 600 && Err().find("law: queued") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_TRUE(InterruptCtl(pid));
  const Said said = WaitCtl(pid);
  EXPECT_EQ(said.exit_code, 130);
  EXPECT_THAT(said.err, HasSubstr("the jobs go on"));
  EXPECT_TRUE(scheduler_.jobs.cancels.empty());
}

TEST_F(SubmitTest, WatchThatIsInterruptedSaysSoToTheShell) {
  v1::WatchResponse response;
  *response.add_jobs() = MakeJob(1, "law", "queued");
  scheduler_.jobs.changes = {response};
  scheduler_.jobs.watch_hangs = true;
  const pid_t pid = StartCtl({"--scheduler", scheduler_.address(), "watch"});
  ASSERT_GT(pid, 0) << "mozgachctl did not start";
  std::this_thread::sleep_for(std::chrono::seconds(1));
  ASSERT_TRUE(InterruptCtl(pid));
  EXPECT_EQ(WaitCtl(pid).exit_code, 130);
}

}  // namespace
}  // namespace mozgach
