// mozgachctl doctor and gc.
#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "common/size_text.h"
#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"
#include "ctl/local/local_checks.h"

namespace mozgach {
namespace {

void Append(const std::vector<v1::Finding>& findings, v1::CheckConsistencyResponse& response) {
  for (const v1::Finding& finding : findings) *response.add_findings() = finding;
}

bool IsProblem(const v1::Finding& finding) { return finding.weight() == "problem"; }

std::string FindingLine(const v1::Finding& finding) {
  return Clip(absl::StrCat(finding.weight(), ": ", finding.where(), ": ", finding.what(), "; ",
                           finding.advice()),
              0);
}

std::string Counted(int64_t count, const char* what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

absl::StatusOr<int> Doctor(bool deep, const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  v1::CheckConsistencyRequest request;
  request.set_deep(deep);
  ASSIGN_OR_RETURN(v1::CheckConsistencyResponse response,
                   connection->Call(&v1::UpkeepService::Stub::CheckConsistency, request,
                                    deep ? Connection::kDeepCall : Connection::kLongCall));
  const WallTime now = Clock::System().Now();
  ASSIGN_OR_RETURN(const v1::ListWorkersResponse workers,
                   connection->Call(&v1::JobService::Stub::ListWorkers, v1::ListWorkersRequest()));
  Append(CheckClocks(response, now), response);
  Append(CheckWorkers(response, workers), response);
  Append(CheckCertificate(settings.tls, now), response);
  std::stable_partition(response.mutable_findings()->begin(), response.mutable_findings()->end(),
                        IsProblem);
  const auto problems =
      std::count_if(response.findings().begin(), response.findings().end(), IsProblem);
  if (settings.json) {
    PrintJson(ToJson(response));
  } else {
    for (const v1::Finding& finding : response.findings()) {
      std::printf("%s\n", FindingLine(finding).c_str());
    }
  }
  std::fflush(stdout);
  std::fprintf(
      stderr, "%s, %s with %s, %s%s: %s, %s\n", Counted(response.jobs(), "job").c_str(),
      Counted(response.versions(), "version").c_str(), Counted(response.files(), "file").c_str(),
      Counted(response.blobs(), "needed blob").c_str(),
      deep ? ", every byte" : "; --deep reads every byte", Counted(problems, "problem").c_str(),
      Counted(response.findings_size() - problems, "note").c_str());
  return problems == 0 ? 0 : 1;
}

std::string Sum(const v1::CollectGarbageResponse& response) {
  std::string text;
  for (const v1::GarbageTotal& total : response.totals()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", Counted(total.count(), total.kind().c_str()),
                    total.bytes() > 0 ? absl::StrCat(" (", FormatSize(total.bytes()), ")") : "");
  }
  return text.empty() ? "nothing" : text;
}

absl::StatusOr<int> Collect(bool dry_run, const Settings& settings) {
  v1::CollectGarbageRequest request;
  request.set_dry_run(dry_run);
  request.set_actor(Actor());
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(
      const v1::CollectGarbageResponse response,
      connection->Call(&v1::UpkeepService::Stub::CollectGarbage, request, Connection::kLongCall));
  if (settings.json) {
    PrintJson(ToJson(response));
    return 0;
  }
  Table table({{.title = "KIND"},
               {.title = "NAME", .least = 10},
               {.title = "SIZE", .right = true, .rank = 1},
               {.title = "WHY", .least = 10, .rank = 2}});
  for (const v1::Garbage& item : response.garbage()) {
    table.AddRow(
        {item.kind(), item.name(), item.bytes() > 0 ? FormatSize(item.bytes()) : "", item.why()});
  }
  if (table.rows() > 0) table.Print();
  std::fflush(stdout);
  std::fprintf(stderr, "%s %s\n", Sum(response).c_str(),
               dry_run ? "would go; a dry run, nothing was removed" : "removed");
  return 0;
}

}  // namespace

void AddUpkeepCommands(CLI::App& app, Command* command) {
  auto deep = std::make_shared<bool>(false);
  CLI::App* doctor = app.add_subcommand(
      "doctor", "Hold the scheduler's database against its files, and say what to do");
  doctor->add_flag("--deep", *deep, "Read every byte of versions, and of blobs that are needed");
  doctor->callback([deep, command] {
    *command = [deep](const Settings& settings) { return Doctor(*deep, settings); };
  });
  auto dry_run = std::make_shared<bool>(false);
  CLI::App* gc = app.add_subcommand(
      "gc", "Remove what nobody needs, by the rules of the scheduler's configuration");
  gc->add_flag("--dry-run", *dry_run, "Only say what would go");
  gc->callback([dry_run, command] {
    *command = [dry_run](const Settings& settings) { return Collect(*dry_run, settings); };
  });
}

}  // namespace mozgach
