// mozgachctl watch: the table of ps, live.
#include <cstdio>

#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/commands/follow.h"
#include "ctl/commands/job_filter.h"
#include "ctl/display/job_table.h"
#include "ctl/local/interrupt.h"

namespace mozgach {
namespace {

struct WatchFlags {
  std::vector<std::string> words;
  JobFilter filter;
};

absl::StatusOr<int> Watch(const WatchFlags& flags, const Settings& settings) {
  ASSIGN_OR_RETURN(v1::Selector selector, ParseSelector(flags.words));
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  if (!flags.filter.empty()) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> numbers,
                     NumbersOf(*connection, selector, flags.filter));
    if (numbers.empty()) {
      std::fprintf(stderr, "no such jobs\n");
      return 0;
    }
    selector.Clear();
    selector.mutable_jobs()->Add(numbers.begin(), numbers.end());
  }
  NoteInterrupts();
  const auto display = settings.json ? JobDisplay::Json(stdout) : JobDisplay::For(stdout);
  const absl::StatusOr<std::vector<v1::Job>> jobs =
      FollowJobs(*connection, selector, *display, settings.reconnect_for);
  if (absl::IsCancelled(jobs.status()) && Interrupted()) return InterruptedExitCode();
  RETURN_IF_ERROR(jobs.status());
  std::fprintf(stderr, "%s; nothing more to watch\n", Summary(*jobs).c_str());
  return 0;
}

}  // namespace

void AddWatchCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<WatchFlags>();
  CLI::App* watch = app.add_subcommand("watch", "Show jobs while they change, until all are over");
  watch->add_option("JOBS", flags->words, "Numbers of jobs, or domains; without any all domains");
  AddLabelOption(*watch, flags->filter);
  watch->callback([flags, command] {
    *command = [flags](const Settings& settings) { return Watch(*flags, settings); };
  });
}

}  // namespace mozgach
