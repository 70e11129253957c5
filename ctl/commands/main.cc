// mozgachctl: what people type to give work to a fleet and to see what became of it.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "common/duration.h"
#include "common/log_line.h"
#include "common/nearest_name.h"
#include "common/terminal_text.h"
#include "common/utf8.h"
#include "ctl/commands/command.h"
#include "security/grpc_log.h"

namespace {

// Flags of the whole program are understood before and after the verb.
void FallThrough(CLI::App& app) {
  for (CLI::App* verb : app.get_subcommands({})) {
    verb->fallthrough();
    FallThrough(*verb);
  }
}

// What people type whose hands know other programs, and what does that here.
std::string WhatDoes(const std::string& verb) {
  static const std::map<std::string, std::string> kOurs = {{"validate", "submit --dry-run"},
                                                           {"describe", "explain"},
                                                           {"status", "ps"},
                                                           {"top", "watch"}};
  const auto found = kOurs.find(verb);
  return found == kOurs.end() ? "" : found->second;
}

// Reports an unknown verb. False if the command line fails for another reason.
bool SayUnknownVerb(const CLI::App& program) {
  const CLI::App* app = &program;
  std::string path = app->get_name();
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    path += " " + app->get_name();
  }
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app->get_subcommands(nullptr)) verbs.push_back(verb->get_name());
  std::vector<std::string> rest = program.remaining(true);
  std::erase_if(rest, [](const std::string& word) { return word.empty() || word[0] == '-'; });
  if (verbs.empty() || rest.empty()) return false;
  const std::string ours = app == &program ? WhatDoes(rest[0]) : "";
  const std::string near = ours.empty() ? mozgach::NearestName(rest[0], verbs) : ours;
  const std::string meant = near.empty() ? "" : "did you mean '" + near + "'?  ";
  std::fprintf(stderr, "mozgachctl: `%s` has no command '%s'; %s`%s --help` lists them\n",
               path.c_str(), mozgach::Showable(mozgach::Abbreviate(rest[0], 80)).c_str(),
               meant.c_str(), path.c_str());
  return true;
}

// As docs/exit_codes.md says.
int ExitCodeOf(const absl::Status& status) {
  constexpr int kFailed = 1, kUnreachable = 3;
  if (status.GetPayload(mozgach::kAtScheduler).has_value()) return kFailed;
  return absl::IsUnavailable(status) ? kUnreachable : mozgach::ExitCode(status);
}

// A full disk behind stdout must not look like success.
int Close(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  std::perror("mozgachctl: stdout");
  return exit_code == 0 ? 1 : exit_code;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "mozgachctl: %s\n",
               mozgach::EscapeControls(std::string(status.message())).c_str());
  return ExitCodeOf(status);
}

}  // namespace

int main(int argc, char** argv) {
  mozgach::RouteGrpcLog();
  mozgach::Settings settings;
  mozgach::Command command;
  CLI::App app("Gives work to a fleet of trainers and says what became of it.", "mozgachctl");
  app.set_version_flag("--version", MOZGACH_VERSION);
  app.add_option("--scheduler", settings.scheduler,
                 "Where mozgach-scheduler listens, HOST:PORT or unix:PATH")
      ->envname("MOZGACH_SCHEDULER")
      ->capture_default_str();
  app.add_option("--tls", settings.tls,
                 "Folder with ca.pem and a certificate or token, as `mozgachctl fleet` makes")
      ->envname("MOZGACH_TLS");
  app.add_option("--token-file", settings.token_file,
                 "File with a token, mode 0600; or the token itself in MOZGACH_TOKEN");
  app.add_flag("--insecure-plaintext", settings.insecure_plaintext,
               "Speak to another host without TLS");
  app.add_flag("--json", settings.json, "Print JSON, for programs");
  std::string reconnect_for;
  CLI::Option* reconnect = app.add_option(
      "--reconnect-for", reconnect_for,
      "How long watch, logs -f, events -f and submit --wait try to reach a scheduler that went "
      "away (90s, 30m; default: 10m; 0: not at all)");
  app.require_subcommand(1);
  mozgach::AddSubmitCommand(app, &command);
  mozgach::AddPlanCommand(app, &command);
  mozgach::AddJobCommands(app, &command);
  mozgach::AddWatchCommand(app, &command);
  mozgach::AddLogsCommand(app, &command);
  mozgach::AddWorkerCommands(app, &command);
  mozgach::AddAdapterCommands(app, &command);
  mozgach::AddBaseCommands(app, &command);
  mozgach::AddFleetCommands(app, &command);
  mozgach::AddUpkeepCommands(app, &command);
  FallThrough(app);
  try {
    mozgach::ParseCommandLine(app, argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    const bool required = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    if (required && SayUnknownVerb(app)) return 2;
    std::fprintf(stderr, "mozgachctl: %s\n", mozgach::AboutCommandLine(app, error).c_str());
    return 2;
  }
  if (reconnect->count() > 0) {
    const absl::StatusOr<mozgach::Milliseconds> time = mozgach::ParseDurationOrZero(reconnect_for);
    if (!time.ok()) {
      return Fail(mozgach::Annotate(time.status(), "--reconnect-for"));
    }
    settings.reconnect_for = *time;
  }
  if (absl::Status log = mozgach::CheckLogLevel(); !log.ok()) {
    return Fail(log);
  }
  if (const char* token = std::getenv("MOZGACH_TOKEN"); token != nullptr) settings.token = token;
  const absl::StatusOr<int> done = command(settings);
  if (done.ok()) return Close(*done);
  std::fflush(stdout);
  return Fail(done.status());
}
