// mozgachctl watch: the table of ps, live.
#include <cstdio>

#include "ctl/command.h"
#include "ctl/follow.h"
#include "ctl/interrupt.h"
#include "ctl/job_table.h"
#include "ctl/selection.h"

namespace mozgach {
namespace {

absl::StatusOr<int> Watch(const std::vector<std::string>& words, const Settings& settings) {
  ASSIGN_OR_RETURN(const v1::Selector selector, ParseSelector(words));
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  NoteInterrupts();
  const auto display = settings.json ? JobDisplay::Json(stdout) : JobDisplay::For(stdout);
  const absl::StatusOr<std::vector<v1::Job>> jobs = FollowJobs(*connection, selector, *display);
  if (absl::IsCancelled(jobs.status()) && Interrupted()) return 0;
  RETURN_IF_ERROR(jobs.status());
  std::fprintf(stderr, "%s; nothing more to watch\n", Summary(*jobs).c_str());
  return 0;
}

}  // namespace

void AddWatchCommand(CLI::App& app, Command* command) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* watch = app.add_subcommand("watch", "Show jobs while they change, until all are over");
  watch->add_option("JOBS", *words, "Numbers of jobs, or domains; without any all domains");
  watch->callback([words, command] {
    *command = [words](const Settings& settings) { return Watch(*words, settings); };
  });
}

}  // namespace mozgach
