#include "scheduler/daemon/upkeep_commands.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/size_text.h"
#include "common/terminal_text.h"
#include "scheduler/placement/base_dispatch.h"
#include "scheduler/upkeep/backup.h"
#include "scheduler/upkeep/consistency_check.h"
#include "scheduler/upkeep/data_directory.h"
#include "scheduler/upkeep/restore.h"

namespace mozgach {
namespace {

void Say(const std::string& line) { std::printf("%s\n", EscapeControls(line).c_str()); }
void Complain(const std::string& line) {
  std::fprintf(stderr, "%s\n", EscapeControls(line).c_str());
}

std::string Show(const CopiedFiles& files) {
  return absl::StrCat(files.files, " files, ", FormatSize(files.bytes),
                      files.files == 0              ? ""
                      : files.linked == files.files ? ", linked"
                      : files.linked == 0           ? ", copied"
                                                    : ", partly linked");
}

absl::StatusOr<int> RunBackup(const BackupOptions& options) {
  ASSIGN_OR_RETURN(const BackupContents contents, BackUp(options, Clock::System().Now()));
  Say(absl::StrCat(options.output.string(), ": schema ", contents.schema, ", ", contents.jobs,
                   " jobs and ", contents.versions, " versions of ", contents.domains,
                   " domains, as of ", contents.made_at));
  if (contents.database_only) {
    Say(absl::StrCat("the database only; copy registry/ and blobs/ of ", options.data.string(),
                     " now, after it: what they hold never changes"));
  } else {
    Say(Show(contents.files));
  }
  for (const std::string& line : contents.missing) Complain("not in the backup: " + line);
  if (contents.missing.empty()) return 0;
  Complain(absl::StrCat("the backup holds what there was; `mozgach-scheduler doctor --data ",
                        options.data.string(), "` says what to do about the rest"));
  return 1;
}

absl::StatusOr<int> RunRestore(const RestoreOptions& options) {
  ASSIGN_OR_RETURN(const RestoreReport report, RestoreBackup(options, Clock::System().Now()));
  const std::string made =
      report.backup.made_at.empty() ? "" : absl::StrCat(", as of ", report.backup.made_at);
  Say(absl::StrCat(options.data.string(), " is what ", options.from.string(), " was", made,
                   "; incarnation ", report.incarnation,
                   ", what was leased before counts no more"));
  if (report.requeued == 1) Say("1 leased job is queued again");
  if (report.requeued > 1) Say(absl::StrCat(report.requeued, " leased jobs are queued again"));
  if (!report.backup.database_only) Say(Show(report.files));
  Say("what has happened since the backup is forgotten, revoked tokens and certificates too: "
      "`mozgachctl fleet revoke` them again");
  for (const std::string& line : report.missing) Complain("not restored: " + line);
  Complain(absl::StrCat("`mozgach-scheduler doctor --data ", options.data.string(),
                        "` compares rows and files"));
  return report.missing.empty() ? 0 : 1;
}

void AddBackup(CLI::App& app, UpkeepCommand* command) {
  auto options = std::make_shared<BackupOptions>();
  auto copy = std::make_shared<bool>(false);
  CLI::App* backup = app.add_subcommand(
      "backup", "Copy database, versions and blobs of a scheduler, which may run meanwhile");
  backup->add_option("--data", options->data, "Its data directory")->required();
  backup->add_option("--output", options->output, "Folder to make; must not be there")->required();
  backup->add_flag("--database-only", options->database_only, "Leave versions and blobs out");
  backup->add_flag("--copy", *copy,
                   "Copy every byte, also where a hard link would do (on the same file system)");
  backup->callback([options, copy, command] {
    if (*copy) options->by = CopyBy::kBytes;
    *command = [options] { return RunBackup(*options); };
  });
}

void AddRestore(CLI::App& app, UpkeepCommand* command) {
  auto options = std::make_shared<RestoreOptions>();
  auto copy = std::make_shared<bool>(false);
  CLI::App* restore = app.add_subcommand(
      "restore", "Make a data directory from a backup; leases from before it count no more");
  restore->add_option("--from", options->from, "A backup, or a database alone")->required();
  restore->add_option("--data", options->data, "The data directory: absent or empty")->required();
  restore->add_flag("--keep-files", options->keep_files,
                    "It may hold registry, blobs and logs, whose database is lost");
  restore->add_flag("--copy", *copy, "Copy every byte, also where a hard link would do");
  restore->callback([options, copy, command] {
    if (*copy) options->by = CopyBy::kBytes;
    *command = [options] { return RunRestore(*options); };
  });
}

absl::StatusOr<int> RunDoctor(const ConsistencyCheckOptions& options) {
  if (!Exists(options.data)) {
    return absl::NotFoundError(
        absl::StrCat("--data: ", options.data.string(), " does not exist; is it spelt right?"));
  }
  const ConsistencyCheck check = CheckConsistencyTwice(options, Clock::System());
  for (const Finding& finding : check.findings) {
    Say(absl::StrCat(Name(finding.weight), ": ", finding.where, ": ", finding.what, "; ",
                     finding.advice));
  }
  Complain(check.HasProblems() ? "there are problems" : "everything is in order");
  Complain(absl::StrCat(check.jobs, " jobs, ", check.versions, " versions with ", check.files,
                        " files, ", check.blobs, " needed blobs",
                        options.deep ? ", every byte" : "; --deep reads every byte"));
  return check.HasProblems() ? 1 : 0;
}

void AddDoctor(CLI::App& app, UpkeepCommand* command) {
  auto options = std::make_shared<ConsistencyCheckOptions>();
  CLI::App* doctor = app.add_subcommand(
      "doctor", "Hold database against files, also where the scheduler cannot start");
  doctor->add_option("--data", options->data, "The data directory")->required();
  doctor->add_flag("--deep", options->deep,
                   "Read every byte of versions, and of blobs that are needed");
  doctor->callback([options, command] { *command = [options] { return RunDoctor(*options); }; });
}

}  // namespace

void AddUpkeepCommands(CLI::App& app, UpkeepCommand* command) {
  AddBackup(app, command);
  AddRestore(app, command);
  AddDoctor(app, command);
}

}  // namespace mozgach
