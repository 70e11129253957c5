// mozgachctl fleet: the authority and its certificates, on this machine's disk; tokens and
// revocations, at the scheduler.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/terminal_text.h"
#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"
#include "ctl/local/fleet_folder.h"
#include "ctl/local/issue_log.h"
#include "nlohmann/json.hpp"
#include "security/token.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

constexpr int kDaysMax = 3650;
constexpr size_t kIssueTimesMax = 1000;  // in a RevokeRequest

struct FleetFlags {
  std::string dir = "fleet";
  std::vector<std::string> hosts;
  std::vector<std::string> names;
  std::string name;
  std::string role = "worker";
  int days = 365;
  bool replace = false;
  bool certificate = false;
  bool dir_given = false;
};

WallTime Now() { return Clock::System().Now(); }

// The user's name, reduced to the characters that a name may have.
std::string OwnName() {
  const std::string actor = Actor();
  const std::string name = actor.substr(0, actor.find('@'));
  const bool usable = CheckIdentityName(name).ok() && name != FleetFolder::kScheduler;
  return usable ? name : "operator";
}

// By these the scheduler's own machine calls it.
std::vector<std::string> WithLocal(std::vector<std::string> hosts) {
  for (const char* local : {"localhost", "127.0.0.1", "::1"}) {
    if (std::find(hosts.begin(), hosts.end(), local) == hosts.end()) hosts.push_back(local);
  }
  return hosts;
}

void Say(const Settings& settings, const nlohmann::ordered_json& facts, const std::string& text) {
  if (settings.json) {
    PrintJson(facts);
  } else {
    std::printf("%s", text.c_str());
  }
}

absl::StatusOr<int> Init(const FleetFlags& flags, const Settings& settings) {
  const std::string user = flags.name.empty() ? OwnName() : flags.name;
  RETURN_IF_ERROR(CheckIdentityName(user));
  // A wrong name is found before anything is written.
  ASSIGN_OR_RETURN(const KeyAndCertificate trial, MakeAuthority("trial", Now(), 1));
  RETURN_IF_ERROR(IssueForHosts(trial, flags.hosts, Now(), 1).status());
  ASSIGN_OR_RETURN(FleetFolder fleet, FleetFolder::Make(flags.dir, Now()));
  ASSIGN_OR_RETURN(const fs::path scheduler,
                   fleet.IssueForScheduler(WithLocal(flags.hosts), Now(), flags.days, false));
  ASSIGN_OR_RETURN(const fs::path own,
                   fleet.IssueFor(Role::kOperator, user, Now(), flags.days, false));
  const std::string host = flags.hosts.front();
  Say(settings,
      {{"authority", (fs::path(flags.dir) / "ca.pem").string()},
       {"scheduler", scheduler.string()},
       {"operator", own.string()}},
      absl::StrCat(
          "A fleet's authority is in ", flags.dir, "; keep its ca.key to yourself.\n\n", "On ",
          host, ", with a copy of ", scheduler.string(), ":\n",
          "  mozgach-scheduler --data DIR --listen 0.0.0.0:7108 --tls ", scheduler.string(), "\n",
          "Here:\n  export MOZGACH_SCHEDULER=", host, ":7108 MOZGACH_TLS=", own.string(), "\n",
          "  mozgachctl fleet whoami\n", "For each worker, and a copy of its folder to its host:\n",
          "  mozgachctl fleet worker NAME --dir ", flags.dir, "\n", "  mozgach-worker --scheduler ",
          host, ":7108 --tls ", (fs::path(flags.dir) / "NAME").string(),
          " --data DIR --bases DIR\n", "For a person or a program that has no certificate:\n",
          "  mozgachctl fleet token --role submitter --name NAME\n"));
  return 0;
}

absl::StatusOr<int> Scheduler(const FleetFlags& flags, const Settings& settings) {
  ASSIGN_OR_RETURN(FleetFolder fleet, FleetFolder::Open(flags.dir));
  ASSIGN_OR_RETURN(const fs::path written, fleet.IssueForScheduler(WithLocal(flags.hosts), Now(),
                                                                   flags.days, flags.replace));
  Say(settings, {{"folder", written.string()}}, absl::StrCat(written.string(), "\n"));
  return 0;
}

absl::StatusOr<int> Certificates(const FleetFlags& flags, const Settings& settings) {
  ASSIGN_OR_RETURN(const Role role, RoleFrom(flags.role));
  ASSIGN_OR_RETURN(FleetFolder fleet, FleetFolder::Open(flags.dir));
  nlohmann::ordered_json folders = nlohmann::ordered_json::array();
  std::string lines;
  for (const std::string& name : flags.names) {
    ASSIGN_OR_RETURN(const fs::path written,
                     fleet.IssueFor(role, name, Now(), flags.days, flags.replace));
    folders.push_back({{"name", name}, {"role", flags.role}, {"folder", written.string()}});
    absl::StrAppend(&lines, written.string(), "\n");
  }
  Say(settings, folders, lines);
  return 0;
}

absl::StatusOr<int> AddToken(const FleetFlags& flags, const Settings& settings) {
  RETURN_IF_ERROR(CheckIdentityName(flags.name));
  RETURN_IF_ERROR(RoleFrom(flags.role).status());
  const std::string token = NewToken(flags.name);
  v1::AddTokenRequest request;
  request.set_name(flags.name);
  request.set_role(flags.role);
  request.set_sha256(DigestOfToken(token));
  if (flags.days > 0) {
    request.set_expires_at(FormatTime(Now() + std::chrono::hours(24) * flags.days));
  }
  request.set_replace(flags.replace);
  request.set_actor(Actor());
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::Token added,
                   connection->Call(&v1::FleetService::Stub::AddToken, request));
  nlohmann::ordered_json facts = ToJson(added);
  facts["token"] = token;
  Say(settings, facts, absl::StrCat(token, "\n"));
  if (!settings.json) {
    std::fprintf(stderr,
                 "This is shown once.  %s sets MOZGACH_TOKEN to it, or keeps it in a file "
                 "\"token\", mode 0600, beside ca.pem in a folder of --tls.\n",
                 flags.name.c_str());
  }
  return 0;
}

absl::StatusOr<int> Tokens(const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::ListTokensResponse response,
                   connection->Call(&v1::FleetService::Stub::ListTokens, v1::ListTokensRequest()));
  if (settings.json) {
    PrintJson({{"tokens", ToJsonArray(response.tokens())},
               {"revocations", ToJsonArray(response.revocations())}});
    return 0;
  }
  Table tokens({{.title = "NAME", .least = 8},
                {.title = "ROLE"},
                {.title = "EXPIRES"},
                {.title = "CREATED", .rank = 2},
                {.title = "BY", .rank = 1}});
  for (const v1::Token& token : response.tokens()) {
    const std::string expires = token.expires_at().empty() ? "never" : token.expires_at();
    tokens.AddRow({token.name(),
                   token.role(),
                   {expires, token.expired() ? Tone::kBad : Tone::kPlain},
                   token.created_at(),
                   token.created_by()});
  }
  tokens.Print();
  for (const v1::Revocation& revoked : response.revocations()) {
    std::printf("what %s was given before %s is void, by %s\n", EscapeLine(revoked.name()).c_str(),
                EscapeLine(revoked.before()).c_str(), EscapeLine(revoked.revoked_by()).c_str());
  }
  return 0;
}

// Returns the names the scheduler knows: of tokens, of earlier revocations, of workers.
absl::StatusOr<std::vector<std::string>> NamesKnown(Connection& connection) {
  ASSIGN_OR_RETURN(const v1::ListTokensResponse listed,
                   connection.Call(&v1::FleetService::Stub::ListTokens, v1::ListTokensRequest()));
  ASSIGN_OR_RETURN(const v1::ListWorkersResponse workers,
                   connection.Call(&v1::JobService::Stub::ListWorkers, v1::ListWorkersRequest()));
  std::vector<std::string> names;
  for (const v1::Token& token : listed.tokens()) names.push_back(token.name());
  for (const v1::Revocation& revoked : listed.revocations()) names.push_back(revoked.name());
  for (const v1::Worker& worker : workers.workers()) names.push_back(worker.worker());
  return names;
}

// A name that was mistyped would leave what leaked as good as it was.
absl::Status CheckKnown(Connection& connection, const std::string& name) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesKnown(connection));
  if (std::find(names.begin(), names.end(), name) != names.end()) return absl::OkStatus();
  const std::string near = NearestName(name, names);
  return absl::NotFoundError(
      absl::StrCat("nothing was revoked: no token of ", name, " is known, and no worker called so",
                   near.empty() ? "." : absl::StrCat("; did you mean ", near, "?"),
                   "  The scheduler does not know who has a certificate: if ", name,
                   " has one, add --certificate"));
}

// Adds the issue times of NAME's certificates. False if this host has no record of them.
absl::StatusOr<bool> AddIssueTimes(const FleetFlags& flags, v1::RevokeRequest* request) {
  const absl::StatusOr<std::vector<WallTime>> issued = IssueTimes(flags.dir, flags.name);
  if (absl::IsNotFound(issued.status()) && !flags.dir_given) return false;
  RETURN_IF_ERROR(issued.status());
  // The scheduler needs those later than its clock, and takes so many.
  const size_t skipped = issued->size() > kIssueTimesMax ? issued->size() - kIssueTimesMax : 0;
  for (size_t i = skipped; i < issued->size(); ++i) request->add_issued_ms(ToMillis((*issued)[i]));
  return true;
}

absl::StatusOr<int> Revoke(const FleetFlags& flags, const Settings& settings) {
  const std::string& name = flags.name;
  RETURN_IF_ERROR(CheckIdentityName(name));
  v1::RevokeRequest request;
  request.set_name(name);
  request.set_actor(Actor());
  ASSIGN_OR_RETURN(const bool issues_known, AddIssueTimes(flags, &request));
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  if (!flags.certificate) RETURN_IF_ERROR(CheckKnown(*connection, name));
  ASSIGN_OR_RETURN(const v1::Revocation revoked,
                   connection->Call(&v1::FleetService::Stub::Revoke, request));
  Say(settings, ToJson(revoked),
      absl::StrCat("Certificates of ", name, " made before ", revoked.before(), " are void",
                   revoked.had_token() ? ", and so is its token" : "; it had no token", ".\n"));
  if (!issues_known && !revoked.had_token()) {
    std::fprintf(
        stderr,
        "There is no record of certificates in %s.  If the clock of the host that issued one "
        "was ahead, repeat this with --dir naming the folder of ca.key.\n",
        EscapeLine(flags.dir).c_str());
  }
  return 0;
}

absl::StatusOr<int> WhoAmI(const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::WhoAmIResponse who,
                   connection->Call(&v1::FleetService::Stub::WhoAmI, v1::WhoAmIRequest()));
  Say(settings, ToJson(who),
      who.local()
          ? std::string("unnamed: this connection is plaintext, and plaintext callers have the "
                        "operator role\n")
          : absl::StrCat(who.role(), " ", who.name(), "\n"));
  return 0;
}

// What the commands that write certificates have in common.
void AddIssuing(CLI::App& verb, FleetFlags& flags) {
  verb.add_option("--dir", flags.dir, "Where the authority lies")->capture_default_str();
  verb.add_option("--days", flags.days, "Until the certificate expires")
      ->check(CLI::Range(1, kDaysMax))
      ->capture_default_str();
}

template <typename Run>
void OnCall(CLI::App& verb, Command* command, std::shared_ptr<FleetFlags> flags, Run run) {
  verb.callback([command, flags, run] {
    *command = [flags, run](const Settings& settings) { return run(*flags, settings); };
  });
}

void AddAuthority(CLI::App& fleet, Command* command) {
  auto init_flags = std::make_shared<FleetFlags>();
  CLI::App* init = fleet.add_subcommand("init", "Make an authority and its first certificates");
  AddIssuing(*init, *init_flags);
  init->add_option("--host", init_flags->hosts, "Names and addresses of the scheduler's host")
      ->required();
  init->add_option("--operator", init_flags->name, "Your name in the fleet (default: your login)");
  OnCall(*init, command, init_flags, Init);

  auto host_flags = std::make_shared<FleetFlags>();
  CLI::App* scheduler = fleet.add_subcommand("scheduler", "Make a certificate for the scheduler");
  AddIssuing(*scheduler, *host_flags);
  scheduler->add_option("--host", host_flags->hosts, "Names and addresses of its host")->required();
  scheduler->add_flag("--replace", host_flags->replace, "Write over the one there is");
  OnCall(*scheduler, command, host_flags, Scheduler);
}

void AddCertificates(CLI::App& fleet, Command* command) {
  auto worker_flags = std::make_shared<FleetFlags>();
  CLI::App* worker = fleet.add_subcommand("worker", "Make a certificate for each worker named");
  AddIssuing(*worker, *worker_flags);
  worker->add_option("NAME", worker_flags->names, "As its --name")->required();
  worker->add_flag("--replace", worker_flags->replace, "Write over the one there is");
  OnCall(*worker, command, worker_flags, Certificates);

  auto user_flags = std::make_shared<FleetFlags>();
  CLI::App* user = fleet.add_subcommand("user", "Make a certificate for a person or a program");
  AddIssuing(*user, *user_flags);
  user->add_option("NAME", user_flags->names, "Who it is for")->required();
  user->add_option("--role", user_flags->role, "viewer, submitter or operator")->required();
  user->add_flag("--replace", user_flags->replace, "Write over the one there is");
  OnCall(*user, command, user_flags, Certificates);
}

void AddTokens(CLI::App& fleet, Command* command) {
  auto token_flags = std::make_shared<FleetFlags>();
  token_flags->days = 90;
  CLI::App* token = fleet.add_subcommand("token", "Make a token, shown once");
  token->add_option("--name", token_flags->name, "Who it is for")->required();
  token->add_option("--role", token_flags->role, "viewer, submitter, operator or worker")
      ->required();
  token->add_option("--days", token_flags->days, "Until it expires; 0: never")
      ->check(CLI::Range(0, kDaysMax))
      ->capture_default_str();
  token->add_flag("--replace", token_flags->replace, "Make the one there is void");
  OnCall(*token, command, token_flags, AddToken);

  CLI::App* tokens = fleet.add_subcommand("tokens", "List tokens and what was revoked");
  tokens->callback([command] { *command = Tokens; });

  auto revoke_flags = std::make_shared<FleetFlags>();
  CLI::App* revoke = fleet.add_subcommand("revoke", "Make void what somebody was given until now");
  revoke->add_option("NAME", revoke_flags->name, "Of a certificate or token")->required();
  revoke->add_flag("--certificate", revoke_flags->certificate,
                   "NAME has a certificate, though neither a token nor a worker is called so");
  revoke
      ->add_option_function<std::string>(
          "--dir",
          [revoke_flags](const std::string& dir) {
            revoke_flags->dir = dir;
            revoke_flags->dir_given = true;
          },
          "Where the authority lies: what it issued is void even if its clock was ahead")
      ->default_str("fleet");
  OnCall(*revoke, command, revoke_flags, Revoke);

  CLI::App* whoami =
      fleet.add_subcommand("whoami", "Print the name and role that the scheduler sees for you");
  whoami->callback([command] { *command = WhoAmI; });
}

}  // namespace

void AddFleetCommands(CLI::App& app, Command* command) {
  CLI::App* fleet = app.add_subcommand("fleet", "Certificates and tokens: who may call");
  fleet->require_subcommand(1);
  AddAuthority(*fleet, command);
  AddCertificates(*fleet, command);
  AddTokens(*fleet, command);
}

}  // namespace mozgach
