// mozgachctl adapters ls, show, pull, verify and alias.
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "common/terminal_text.h"
#include "ctl/client/adapter_pull.h"
#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/display/adapter_table.h"
#include "ctl/display/message_json.h"
#include "ctl/local/interrupt.h"

namespace mozgach {
namespace {

using Words = std::vector<std::string>;

absl::StatusOr<v1::Version> GetVersion(Connection& connection, const VersionName& name) {
  v1::GetVersionRequest request;
  request.set_domain(name.domain);
  request.set_version(name.version);
  return connection.Call(&v1::RegistryService::Stub::GetVersion, request);
}

// The versions that `words` name, all of a domain where none is named, all of all without words.
absl::StatusOr<std::vector<v1::Version>> FindVersions(Connection& connection, const Words& words) {
  std::vector<VersionName> names;
  for (const std::string& word : words) {
    ASSIGN_OR_RETURN(names.emplace_back(), ParseVersion(word));
  }
  if (words.empty()) names.emplace_back();
  std::vector<v1::Version> versions;
  for (const VersionName& name : names) {
    if (!name.version.empty()) {
      ASSIGN_OR_RETURN(versions.emplace_back(), GetVersion(connection, name));
      continue;
    }
    v1::ListVersionsRequest request;
    request.set_domain(name.domain);
    ASSIGN_OR_RETURN(const v1::ListVersionsResponse response,
                     connection.Call(&v1::RegistryService::Stub::ListVersions, request));
    if (response.versions().empty() && !name.domain.empty()) {
      return absl::NotFoundError(absl::StrCat("domain '", name.domain, "' has no adapter yet"));
    }
    versions.insert(versions.end(), response.versions().begin(), response.versions().end());
  }
  return versions;
}

absl::StatusOr<int> ListVersions(const Words& words, const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const std::vector<v1::Version> versions, FindVersions(*connection, words));
  if (settings.json) {
    PrintJson(ToJsonArray(versions));
  } else if (versions.empty()) {
    std::fprintf(stderr, "no adapters yet\n");
  } else {
    VersionTable(versions).Print();
  }
  return 0;
}

absl::StatusOr<int> Show(const std::string& word, const Settings& settings) {
  ASSIGN_OR_RETURN(const VersionName name, ParseVersion(word));
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::Version version, GetVersion(*connection, name));
  if (settings.json) {
    PrintJson(ToJson(version));
    return 0;
  }
  for (const std::string& line : VersionLines(version)) std::printf("%s\n", line.c_str());
  return 0;
}

absl::StatusOr<int> Pull(const std::string& word, const std::string& target,
                         const Settings& settings) {
  ASSIGN_OR_RETURN(const VersionName name, ParseVersion(word));
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::Version version, GetVersion(*connection, name));
  NoteInterrupts();
  const absl::Status status = PullVersion(*connection, version, target);
  if (absl::IsCancelled(status) && Interrupted()) {
    std::fprintf(stderr, "interrupted, nothing was left at %s\n", EscapeControls(target).c_str());
    return InterruptedExitCode();
  }
  RETURN_IF_ERROR(status);
  if (settings.json) {
    PrintJson({{"domain", version.domain()},
               {"version", version.version()},
               {"path", std::filesystem::absolute(target).lexically_normal().string()}});
  } else {
    std::printf("%s@%s is at %s\n", version.domain().c_str(), version.version().c_str(),
                EscapeControls(target).c_str());
  }
  return 0;
}

absl::StatusOr<int> VerifyVersions(const Words& words, const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const std::vector<v1::Version> versions, FindVersions(*connection, words));
  auto results = nlohmann::ordered_json::array();
  size_t bad = 0;
  for (const v1::Version& version : versions) {
    v1::VerifyVersionRequest request;
    request.set_domain(version.domain());
    request.set_version(version.version());
    ASSIGN_OR_RETURN(const v1::VerifyVersionResponse result,
                     connection->Call(&v1::RegistryService::Stub::VerifyVersion, request,
                                      Connection::kLongCall));
    results.push_back(ToJson(result));
    if (!result.problems().empty()) ++bad;
    if (settings.json) continue;
    for (const std::string& problem : result.problems()) {
      std::printf("%s@%s: %s\n", version.domain().c_str(), version.version().c_str(),
                  Clip(problem, 0).c_str());
    }
  }
  if (settings.json) PrintJson(results);
  std::fflush(stdout);
  std::fprintf(stderr, "%zu version%s verified, %zu differ%s from what was published\n",
               versions.size(), versions.size() == 1 ? "" : "s", bad, bad == 1 ? "s" : "");
  return bad == 0 ? 0 : 1;
}

absl::StatusOr<int> SetAlias(const v1::SetAliasRequest& request, bool remove,
                             const Settings& settings) {
  if (remove != request.version().empty()) {
    return absl::InvalidArgumentError("name a version, or say --remove");
  }
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::Version version,
                   connection->Call(&v1::RegistryService::Stub::SetAlias, request));
  if (settings.json) {
    PrintJson(ToJson(version));
  } else {
    std::printf("%s@%s %s %s\n", request.domain().c_str(), request.alias().c_str(),
                remove ? "no longer names" : "is", version.version().c_str());
  }
  return 0;
}

CLI::App* AddVerb(CLI::App& app, const char* name, const char* help, const char* words_help,
                  Command* command,
                  absl::StatusOr<int> (*run)(const Words& words, const Settings& settings)) {
  auto words = std::make_shared<Words>();
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("ADAPTERS", *words, words_help);
  verb->callback([words, command, run] {
    *command = [words, run](const Settings& settings) { return run(*words, settings); };
  });
  return verb;
}

void AddShow(CLI::App& app, Command* command) {
  auto word = std::make_shared<std::string>();
  CLI::App* show = app.add_subcommand("show", "Say everything about one version");
  show->add_option("ADAPTER", *word, "DOMAIN, DOMAIN@VERSION or DOMAIN@ALIAS")->required();
  show->callback([word, command] {
    *command = [word](const Settings& settings) { return Show(*word, settings); };
  });
}

void AddPull(CLI::App& app, Command* command) {
  auto word = std::make_shared<std::string>();
  auto target = std::make_shared<std::string>();
  CLI::App* pull = app.add_subcommand("pull", "Copy a version here, and check every byte");
  pull->add_option("ADAPTER", *word, "DOMAIN, DOMAIN@VERSION or DOMAIN@ALIAS")->required();
  pull->add_option("-o,--output", *target, "The directory to make")->required();
  pull->callback([word, target, command] {
    *command = [word, target](const Settings& settings) { return Pull(*word, *target, settings); };
  });
}

void AddAlias(CLI::App& app, Command* command) {
  auto request = std::make_shared<v1::SetAliasRequest>();
  auto remove = std::make_shared<bool>(false);
  CLI::App* alias = app.add_subcommand("alias", "Point a name like champion at a version");
  const auto text = [&](const char* name, std::string* field, const char* help) {
    return alias->add_option(name, *field, help);
  };
  text("DOMAIN", request->mutable_domain(), "A domain")->required();
  text("ALIAS", request->mutable_alias(), "The name, like champion")->required();
  text("VERSION", request->mutable_version(), "v0001, 1, or another alias");
  alias->add_flag("--remove", *remove, "Take the name away");
  alias->callback([request, remove, command] {
    *command = [request, remove](const Settings& settings) {
      request->set_actor(Actor());
      return SetAlias(*request, *remove, settings);
    };
  });
}

}  // namespace

void AddAdapterCommands(CLI::App& app, Command* command) {
  CLI::App* adapters = app.add_subcommand("adapters", "What has been trained");
  adapters->require_subcommand(1);
  AddVerb(*adapters, "ls", "List versions", "DOMAIN or DOMAIN@VERSION; all where left out", command,
          ListVersions);
  AddShow(*adapters, command);
  AddPull(*adapters, command);
  AddVerb(*adapters, "verify", "Compare the registry's files with what was published",
          "DOMAIN or DOMAIN@VERSION; all where left out", command, VerifyVersions);
  AddAlias(*adapters, command);
}

}  // namespace mozgach
