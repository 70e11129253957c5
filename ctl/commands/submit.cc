// mozgachctl submit: check everything, send everything, or nothing.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/size_text.h"
#include "common/terminal_text.h"
#include "ctl/client/blob_upload.h"
#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/commands/follow.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"
#include "ctl/display/transfer_display.h"
#include "ctl/local/interrupt.h"
#include "ctl/local/submission.h"

namespace mozgach {
namespace {

struct SubmitFlags {
  std::vector<std::string> files;
  bool wait = false;
  bool dry_run = false;
};

// Datasets may be swept between upload and submit; more rounds than this mean something is wrong.
constexpr int kRounds = 3;

absl::Status UploadMissing(Connection& connection, const Submission& submission,
                           const v1::SubmitResponse& response) {
  std::vector<DatasetFile> files;
  uint64_t bytes = 0;
  for (const std::string& sha256 : response.missing_blobs()) {
    const auto file = submission.datasets.find(sha256);
    if (file == submission.datasets.end()) {
      return absl::InternalError(
          absl::StrCat("the scheduler asks for ", sha256, ", which is none of these datasets"));
    }
    files.push_back(file->second);
    bytes += file->second.size;
  }
  TransferDisplay progress(absl::StrCat("uploading ", files.size(), " dataset",
                                        files.size() == 1 ? "" : "s", ", ", FormatSize(bytes)),
                           bytes);
  return UploadDatasets(connection, files, [&](uint64_t sent) { progress.Add(sent); });
}

// What was sent again for a job that is known: after it, the scheduler finds nothing to do.
void KeepRepairs(const v1::SubmitResponse& earlier, v1::SubmitResponse* response) {
  for (int i = 0; i < std::min(earlier.outcomes_size(), response->outcomes_size()); ++i) {
    const auto& before = earlier.outcomes(i);
    auto& outcome = *response->mutable_outcomes(i);
    if (before.outcome() != "repaired" || outcome.outcome() != "unchanged") continue;
    outcome.set_outcome("repaired");
    outcome.set_note(before.note());
  }
}

absl::StatusOr<v1::SubmitResponse> Send(Connection& connection, const Submission& submission) {
  v1::SubmitResponse earlier;
  for (int round = 1;; ++round) {
    ASSIGN_OR_RETURN(
        v1::SubmitResponse response,
        connection.Call(&v1::JobService::Stub::Submit, submission.request, Connection::kLongCall));
    KeepRepairs(earlier, &response);
    if (response.missing_blobs().empty() || submission.request.dry_run()) return response;
    if (round == kRounds) {
      return absl::InternalError(
          "the scheduler loses the datasets it is sent; its log says why.  Nothing was queued");
    }
    RETURN_IF_ERROR(UploadMissing(connection, submission, response));
    earlier = std::move(response);
  }
}

// "lora.r, data changed; supersedes job 17"
std::string NoteOf(const v1::SubmitResponse::Outcome& outcome) {
  if (outcome.changed_keys().empty()) return outcome.note();
  return absl::StrCat(absl::StrJoin(outcome.changed_keys(), ", "), " changed",
                      outcome.note().empty() ? "" : "; ", outcome.note());
}

void PrintOutcomes(const v1::SubmitResponse& response, bool dry_run) {
  Table table({{.title = "DOMAIN", .least = 10},
               {.title = "OUTCOME"},
               {.title = "JOB", .right = true, .rank = 1},
               {.title = "NOTE", .least = 10, .rank = 2}});
  std::map<std::string, int> counts;
  for (const auto& outcome : response.outcomes()) {
    const bool same = outcome.outcome() == "unchanged" || outcome.outcome() == "updated";
    table.AddRow({outcome.domain(),
                  {outcome.outcome(), same ? Tone::kFaint : Tone::kGood},
                  outcome.job() > 0 ? absl::StrCat(outcome.job()) : "",
                  NoteOf(outcome)});
    ++counts[outcome.outcome()];
  }
  table.Print();
  std::fflush(stdout);
  std::vector<std::string> parts;
  for (const auto& [outcome, count] : counts) parts.push_back(absl::StrCat(count, " ", outcome));
  std::fprintf(stderr, "%s%s\n", absl::StrJoin(parts, ", ").c_str(),
               dry_run ? "; a dry run, nothing was queued" : "");
}

// What people should know about the domains that were accepted, below the table. A notice that
// several domains share is printed once.
void PrintNotices(const v1::SubmitResponse& response) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> domains;
  for (const auto& outcome : response.outcomes()) {
    for (const std::string& notice : outcome.notices()) {
      std::vector<std::string>& those = domains[notice];
      if (those.empty()) order.push_back(notice);
      those.push_back(outcome.domain());
    }
  }
  constexpr size_t kNamed = 3;
  for (const std::string& notice : order) {
    std::vector<std::string> those = domains[notice];
    const size_t more = those.size() > kNamed ? those.size() - kNamed : 0;
    those.resize(those.size() - more);
    std::fprintf(stderr, "notice: %s%s: %s\n", Clip(absl::StrJoin(those, ", "), 0).c_str(),
                 more == 0 ? "" : absl::StrCat(" and ", more, " more").c_str(),
                 Clip(notice, 0).c_str());
  }
}

// The outcomes; with the job as it ended where it was waited for.
nlohmann::ordered_json OutcomesJson(const v1::SubmitResponse& response,
                                    const std::vector<v1::Job>& jobs) {
  nlohmann::ordered_json array = ToJsonArray(response.outcomes());
  for (nlohmann::ordered_json& outcome : array) {
    for (const v1::Job& job : jobs) {
      if (outcome["job"] == job.job()) outcome.update(ToJson(job));
    }
  }
  return array;
}

// Why the jobs could not be followed to their end.
absl::Status WhyNotFollowed(const absl::Status& status) {
  if (!absl::IsNotFound(status)) return Annotate(status, "the jobs are queued and go on, but");
  return absl::NotFoundError(absl::StrCat(
      "the scheduler does not know the submitted jobs any more (", std::string(status.message()),
      "): it was probably restored from a backup that was made before; submit them again"));
}

absl::StatusOr<int> Wait(Connection& connection, const v1::SubmitResponse& response,
                         const Settings& settings) {
  v1::Selector selector;
  for (const auto& outcome : response.outcomes()) selector.add_jobs(outcome.job());
  NoteInterrupts();
  const std::unique_ptr<JobDisplay> display = JobDisplay::For(stderr);
  const absl::StatusOr<std::vector<v1::Job>> jobs =
      FollowJobs(connection, selector, *display, settings.reconnect_for);
  if (absl::IsCancelled(jobs.status()) && Interrupted()) {
    std::fprintf(stderr,
                 "\nLeft alone, the jobs go on: mozgachctl watch shows them, mozgachctl "
                 "cancel ends them.\n");
    return InterruptedExitCode();
  }
  if (!jobs.ok()) return WhyNotFollowed(jobs.status());
  display->Clear();
  if (settings.json) {
    PrintJson(OutcomesJson(response, *jobs));
  } else {
    JobTable(*jobs).Print();
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", Summary(*jobs).c_str());
  }
  const bool good = std::all_of(jobs->begin(), jobs->end(),
                                [](const v1::Job& job) { return job.state() == "succeeded"; });
  return good ? 0 : 1;
}

absl::StatusOr<int> Submit(const SubmitFlags& flags, const Settings& settings) {
  absl::StatusOr<Submission> submission = ReadSubmission(flags.files);
  if (!submission.ok()) {
    std::fprintf(stderr, "%s\n",
                 EscapeControls(std::string(submission.status().message())).c_str());
    return absl::InvalidArgumentError("nothing was submitted");
  }
  submission->request.set_dry_run(flags.dry_run);
  submission->request.set_actor(Actor());
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::SubmitResponse response, Send(*connection, *submission));
  if (!settings.json) {
    PrintOutcomes(response, flags.dry_run);
    PrintNotices(response);
  }
  if (flags.wait) return Wait(*connection, response, settings);
  if (settings.json) PrintJson(OutcomesJson(response, {}));
  return 0;
}

}  // namespace

void AddSubmitCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<SubmitFlags>();
  CLI::App* submit = app.add_subcommand(
      "submit", "Check domain files and their datasets, and queue what is new or changed");
  submit->add_option("FILES", flags->files, "Domain files, like domains/*.yaml")->required();
  auto* wait = submit->add_flag("--wait", flags->wait, "Show the jobs until all are over");
  submit->add_flag("--dry-run", flags->dry_run, "Say what would happen, queue nothing")
      ->excludes(wait);
  submit->callback([flags, command] {
    *command = [flags](const Settings& settings) { return Submit(*flags, settings); };
  });
}

}  // namespace mozgach
