// mozgachctl workers, drain and events.
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/clock.h"
#include "common/duration.h"
#include "common/size_text.h"
#include "common/terminal_text.h"
#include "ctl/client/reconnection.h"
#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"

namespace mozgach {
namespace {

std::string DevicesOf(const v1::Worker& worker) {
  std::vector<std::string> devices;
  for (const v1::Device& device : worker.devices()) devices.push_back(device.name());
  return absl::StrJoin(devices, " ");
}

Table WorkerTable(const std::vector<v1::Worker>& workers) {
  Table table({{.title = "WORKER", .least = 8},
               {.title = "STATE"},
               {.title = "JOBS", .least = 4, .rank = 1},
               {.title = "DEVICES", .least = 7, .rank = 3},
               {.title = "BASES", .least = 10, .rank = 2},
               {.title = "BASE LOADS", .right = true, .rank = 5},
               {.title = "MEMORY", .right = true, .rank = 6},
               {.title = "LAST CALL", .rank = 4}});
  for (const v1::Worker& worker : workers) {
    const Tone tone = worker.state() == "up"     ? Tone::kGood
                      : worker.state() == "lost" ? Tone::kBad
                                                 : Tone::kFaint;
    table.AddRow({worker.worker(),
                  {worker.state(), tone},
                  absl::StrJoin(worker.jobs(), " "),
                  DevicesOf(worker),
                  absl::StrJoin(worker.bases(), " "),
                  absl::StrCat(worker.base_loads()),
                  FormatSize(worker.memory_bytes()),
                  Ago(worker.last_call_at(), absl::Now())});
  }
  return table;
}

absl::StatusOr<int> Workers(const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::ListWorkersResponse response,
                   connection->Call(&v1::JobService::Stub::ListWorkers, v1::ListWorkersRequest()));
  if (settings.json) {
    PrintJson(ToJsonArray(response.workers()));
    return 0;
  }
  if (response.workers().empty()) {
    std::fprintf(stderr,
                 "no workers; start one with mozgach-worker --scheduler %s --data DIR "
                 "--bases DIR\n",
                 settings.scheduler.c_str());
  } else {
    WorkerTable({response.workers().begin(), response.workers().end()}).Print();
  }
  for (const v1::Worker& worker : response.workers()) {
    if (worker.quarantine_reason().empty()) continue;
    std::fprintf(stderr, "%s is quarantined until %s: %s\n", EscapeLine(worker.worker()).c_str(),
                 worker.quarantined_until().c_str(),
                 EscapeLine(worker.quarantine_reason()).c_str());
  }
  return 0;
}

absl::StatusOr<int> Forget(const std::vector<std::string>& workers, const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  for (const std::string& worker : workers) {
    v1::ForgetWorkerRequest request;
    request.set_worker(worker);
    request.set_actor(Actor());
    RETURN_IF_ERROR(connection->Call(&v1::JobService::Stub::ForgetWorker, request).status());
    if (!settings.json) std::printf("worker %s is forgotten\n", worker.c_str());
  }
  if (settings.json) PrintJson({{"forgotten", workers}});
  return 0;
}

struct DrainFlags {
  std::string worker, within;
  bool undo = false;
};

absl::StatusOr<int> Drain(const DrainFlags& flags, const Settings& settings) {
  v1::DrainWorkerRequest request;
  request.set_worker(flags.worker);
  request.set_undo(flags.undo);
  request.set_actor(Actor());
  if (!flags.within.empty()) {
    const absl::StatusOr<Milliseconds> within = ParseDurationOrZero(flags.within);
    if (!within.ok()) return Annotate(within.status(), "--within");
    request.set_within_ms(static_cast<uint64_t>(within->count()));
  }
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::Worker worker,
                   connection->Call(&v1::JobService::Stub::DrainWorker, request));
  if (settings.json) {
    PrintJson(ToJson(worker));
  } else {
    WorkerTable({worker}).Print();
    std::fflush(stdout);
    if (!flags.undo) {
      std::fprintf(stderr, "`mozgachctl drain --undo %s` gives it work again\n",
                   flags.worker.c_str());
    }
  }
  return 0;
}

std::string EventLine(const v1::Event& event) {
  std::string line = absl::StrCat(event.time(), "  ", event.kind());
  if (event.job() > 0) absl::StrAppend(&line, "  job ", event.job());
  if (!event.domain().empty()) absl::StrAppend(&line, " of ", event.domain());
  if (!event.actor().empty()) absl::StrAppend(&line, ", by ", event.actor());
  if (!event.message().empty()) absl::StrAppend(&line, ": ", event.message());
  return Clip(line, 0);
}

constexpr int kEventsPerAnswer = 1000;  // at most
constexpr int64_t kFromTheOldest = -1;  // as ListEventsRequest.after

// Events one after another, each once, also when the scheduler restarts meanwhile.
class EventFollower {
 public:
  EventFollower(Connection& connection, v1::ListEventsRequest request, Milliseconds timeout)
      : caller_(connection, timeout), request_(std::move(request)) {}

  // What has happened since the last call; at first the newest events.
  absl::StatusOr<v1::ListEventsResponse> Next();

 private:
  // A scheduler that was restored from a backup counts its events from there on.
  absl::StatusOr<bool> WasRestored();

  PatientCaller caller_;
  v1::ListEventsRequest request_;
  v1::Event last_;
  int outages_ = 0;
};

absl::StatusOr<v1::ListEventsResponse> EventFollower::Next() {
  ASSIGN_OR_RETURN(v1::ListEventsResponse response,
                   caller_.Call(&v1::JobService::Stub::ListEvents, request_));
  if (std::exchange(outages_, caller_.outages()) != caller_.outages() && last_.event() > 1) {
    ASSIGN_OR_RETURN(const bool restored, WasRestored());
    if (restored) {
      std::fprintf(stderr, "the scheduler was restored from a backup: its newest events follow\n");
      request_.set_after(0);
      ASSIGN_OR_RETURN(response, caller_.Call(&v1::JobService::Stub::ListEvents, request_));
    }
  }
  request_.set_limit(0);
  if (!response.events().empty()) {
    last_ = *response.events().rbegin();
    request_.set_after(last_.event());
  } else if (request_.after() == 0) {
    request_.set_after(kFromTheOldest);  // so that none of very many is left out
  }
  return response;
}

absl::StatusOr<bool> EventFollower::WasRestored() {
  v1::ListEventsRequest again = request_;
  again.set_after(last_.event() - 1);
  again.set_limit(1);
  ASSIGN_OR_RETURN(v1::ListEventsResponse response,
                   caller_.Call(&v1::JobService::Stub::ListEvents, again));
  if (!response.events().empty()) {
    const v1::Event& found = response.events(0);
    return found.event() == last_.event() && found.time() != last_.time();
  }
  again.set_after(0);
  ASSIGN_OR_RETURN(response, caller_.Call(&v1::JobService::Stub::ListEvents, again));
  return !response.events().empty() && response.events(0).event() < last_.event();
}

// The newest, then each that follows, one line each, until the program is ended.
absl::StatusOr<int> FollowEvents(const v1::ListEventsRequest& request, const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  EventFollower follower(*connection, request, settings.reconnect_for);
  for (;;) {
    ASSIGN_OR_RETURN(const v1::ListEventsResponse response, follower.Next());
    for (const v1::Event& event : response.events()) {
      const std::string line = settings.json ? DumpLine(ToJson(event)) : EventLine(event);
      std::printf("%s\n", line.c_str());
    }
    std::fflush(stdout);
    if (std::ferror(stdout) != 0) return 0;
    if (response.events_size() < kEventsPerAnswer) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  }
}

absl::StatusOr<int> Events(const v1::ListEventsRequest& request, const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::ListEventsResponse response,
                   connection->Call(&v1::JobService::Stub::ListEvents, request));
  if (settings.json) {
    PrintJson(ToJsonArray(response.events()));
    return 0;
  }
  Table table({{.title = "EVENT", .right = true, .rank = 5},
               {.title = "TIME", .rank = 4},
               {.title = "JOB", .right = true},
               {.title = "DOMAIN", .least = 10, .rank = 2},
               {.title = "KIND"},
               {.title = "ACTOR", .least = 8, .rank = 3},
               {.title = "MESSAGE", .least = 10, .rank = 1}});
  for (const v1::Event& event : response.events()) {
    table.AddRow({absl::StrCat(event.event()), event.time(),
                  event.job() > 0 ? absl::StrCat(event.job()) : "", event.domain(), event.kind(),
                  event.actor(), event.message()});
  }
  table.Print();
  return 0;
}

void AddWorkers(CLI::App& app, Command* command) {
  CLI::App* workers = app.add_subcommand("workers", "List the workers and what they have");
  CLI::App* ls = workers->add_subcommand("ls", "List them, as without a command");
  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* forget = workers->add_subcommand(
      "forget", "Remove workers that are gone from the list and from the metrics");
  forget->add_option("WORKER", *names, "As mozgachctl workers names it")->required();
  workers->require_subcommand(0, 1);
  forget->callback([names, command] {
    *command = [names](const Settings& settings) { return Forget(*names, settings); };
  });
  workers->callback([ls, forget, command] {
    if (ls->parsed() || !forget->parsed()) *command = Workers;
  });
}

void AddDrain(CLI::App& app, Command* command) {
  auto flags = std::make_shared<DrainFlags>();
  CLI::App* drain = app.add_subcommand(
      "drain", "Let a worker finish what it runs and give it nothing more, until --undo");
  drain->add_option("WORKER", flags->worker, "As mozgachctl workers names it")->required();
  auto* undo = drain->add_flag("--undo", flags->undo, "Give it work again; ends a quarantine, too");
  drain
      ->add_option(
          "--within", flags->within,
          "What still runs after this time (30m, 2h; 0: at once) is saved and goes on elsewhere")
      ->excludes(undo);
  drain->callback([flags, command] {
    *command = [flags](const Settings& settings) { return Drain(*flags, settings); };
  });
}

void AddEvents(CLI::App& app, Command* command) {
  struct Flags {
    int64_t job = 0, after = 0, limit = 0;
    std::string domain;
    bool follow = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* events = app.add_subcommand("events", "List what happened last, oldest first");
  auto* job = events->add_option("--job", flags->job, "Only of this job");
  job->check(CLI::PositiveNumber);
  events->add_option("--domain", flags->domain, "Only of this domain")->excludes(job);
  events->add_option("--after", flags->after, "Those that follow the event with this number")
      ->check(CLI::NonNegativeNumber);
  events->add_option("--limit", flags->limit, "At most so many (default: 1000)")
      ->check(CLI::Range(1, 1000));
  events->add_flag("-f,--follow", flags->follow, "Go on with what happens from now on");
  events->callback([flags, command] {
    *command = [flags](const Settings& settings) {
      v1::ListEventsRequest request;
      request.set_job(flags->job);
      request.set_after(flags->after);
      request.set_limit(flags->limit);
      request.set_domain(flags->domain);
      if (flags->follow) return FollowEvents(request, settings);
      return Events(request, settings);
    };
  });
}

}  // namespace

void AddWorkerCommands(CLI::App& app, Command* command) {
  AddWorkers(app, command);
  AddDrain(app, command);
  AddEvents(app, command);
}

}  // namespace mozgach
