// mozgachctl ps, cancel, retry and explain.
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/commands/job_filter.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"

namespace mozgach {
namespace {

struct JobFlags {
  std::vector<std::string> words;
  JobFilter filter;
  bool all = false;
};

template <typename Jobs>
int Print(const Jobs& jobs, const char* when_none, const Settings& settings) {
  if (settings.json) {
    PrintJson(ToJsonArray(jobs));
  } else if (jobs.empty()) {
    std::fprintf(stderr, "%s\n", when_none);
  } else {
    JobTable({jobs.begin(), jobs.end()}).Print();
  }
  return 0;
}

absl::StatusOr<v1::Selector> SelectorOf(const JobFlags& flags) {
  ASSIGN_OR_RETURN(v1::Selector selector, ParseSelector(flags.words));
  selector.set_all(flags.all);
  return selector;
}

absl::StatusOr<int> List(const JobFlags& flags, const Settings& settings) {
  v1::ListRequest request;
  ASSIGN_OR_RETURN(*request.mutable_selector(), SelectorOf(flags));
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::ListResponse response,
                   connection->Call(&v1::JobService::Stub::List, request));
  const std::vector<v1::Job> jobs(response.jobs().begin(), response.jobs().end());
  return Print(Filtered(flags.filter, jobs), flags.filter.empty() ? "no jobs" : "no such jobs",
               settings);
}

// Cancel and Retry are alike but for their names.
template <typename Request, typename Method>
absl::StatusOr<int> Change(const JobFlags& flags, const Settings& settings, Method method,
                           const char* when_none) {
  if (flags.words.empty() && flags.filter.empty() && !flags.all) {
    return absl::InvalidArgumentError("name jobs or domains, or labels with -l, or say --all");
  }
  Request request;
  ASSIGN_OR_RETURN(*request.mutable_selector(), SelectorOf(flags));
  request.set_actor(Actor());
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  if (!flags.filter.empty()) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> numbers,
                     NumbersOf(*connection, request.selector(), flags.filter));
    if (numbers.empty()) return Print(std::vector<v1::Job>(), when_none, settings);
    request.mutable_selector()->Clear();
    request.mutable_selector()->mutable_jobs()->Add(numbers.begin(), numbers.end());
    request.mutable_selector()->set_all(true);  // those of them that can be
  }
  ASSIGN_OR_RETURN(const auto response, connection->Call(method, request, Connection::kLongCall));
  return Print(response.jobs(), when_none, settings);
}

absl::StatusOr<int> Explain(const std::string& word, const Settings& settings) {
  ASSIGN_OR_RETURN(const JobName name, ParseJobName(word));
  v1::ExplainRequest request;
  request.set_job(name.job);
  request.set_domain(name.domain);
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::ExplainResponse response,
                   connection->Call(&v1::JobService::Stub::Explain, request));
  if (settings.json) {
    PrintJson(ToJson(response));
    return 0;
  }
  std::printf("%s\n", Clip(response.summary(), 0).c_str());
  for (const std::string& line : response.lines()) std::printf("  %s\n", Clip(line, 0).c_str());
  for (const std::string& notice : response.notices()) {
    std::printf("  notice: %s\n", Clip(notice, 0).c_str());
  }
  return 0;
}

void AddJobCommand(CLI::App& app, const char* name, const char* help, const char* all_help,
                   Command* command,
                   absl::StatusOr<int> (*run)(const JobFlags& flags, const Settings& settings)) {
  auto flags = std::make_shared<JobFlags>();
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("JOBS", flags->words, "Numbers of jobs, or domains (their latest jobs)");
  verb->add_flag("--all", flags->all, all_help);
  AddLabelOption(*verb, flags->filter);
  AddStateOption(*verb, flags->filter);
  verb->callback([flags, command, run] {
    *command = [flags, run](const Settings& settings) { return run(*flags, settings); };
  });
}

}  // namespace

void AddJobCommands(CLI::App& app, Command* command) {
  AddJobCommand(app, "ps", "List the latest job of each domain",
                "Every job, not only the latest of each domain", command, List);
  AddJobCommand(app, "cancel", "Cancel jobs that wait or run", "Every job that is not over",
                command, [](const JobFlags& flags, const Settings& settings) {
                  return Change<v1::CancelRequest>(flags, settings, &v1::JobService::Stub::Cancel,
                                                   "nothing to cancel");
                });
  AddJobCommand(app, "retry", "Queue failed and cancelled jobs again, as new jobs",
                "Every domain whose latest job failed or was cancelled", command,
                [](const JobFlags& flags, const Settings& settings) {
                  return Change<v1::RetryRequest>(flags, settings, &v1::JobService::Stub::Retry,
                                                  "nothing to retry");
                });
  auto word = std::make_shared<std::string>();
  CLI::App* explain =
      app.add_subcommand("explain", "Say why a job waits, worker by worker, or how it ended");
  explain->add_option("JOB", *word, "A job's number, or a domain")->required();
  explain->callback([word, command] {
    *command = [word](const Settings& settings) { return Explain(*word, settings); };
  });
}

}  // namespace mozgach
