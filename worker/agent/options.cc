#include "worker/agent/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <climits>
#include <iostream>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/command_line.h"
#include "common/duration.h"
#include "common/nearest_name.h"
#include "common/size_text.h"
#include "common/web/web_hosts.h"
#include "security/address.h"
#include "security/credentials_folder.h"
#include "security/token.h"
#include "yaml-cpp/yaml.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kThreadsMax = 1024;  // as mozgach-trainer has it

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  return ::gethostname(name, HOST_NAME_MAX) == 0 && name[0] != '\0' ? name : "worker";
}

// As people write them, before they are checked.
struct Words {
  std::string scheduler, tls, data, name, memory, http, trainer, config;
  std::string checkpoint_days, dataset_cache, quantized_cache, trainer_silence;
  std::vector<std::string> bases, devices, allowed_hosts;
  std::optional<int64_t> threads;
  bool insecure_plaintext = false;
};

void Define(CLI::App& app, Words& words) {
  app.add_option("--scheduler", words.scheduler,
                 "HOST:PORT or unix:PATH of mozgach-scheduler; required");
  app.add_option("--tls", words.tls,
                 "folder with ca.pem and a certificate, as `mozgachctl fleet worker NAME` makes");
  app.add_flag("--insecure-plaintext", words.insecure_plaintext,
               "speak to a scheduler on another host without TLS, and let others read --http");
  app.add_option("--data", words.data,
                 "folder for datasets, checkpoints and logs of this worker; required");
  app.add_option("--bases", words.bases,
                 "folders below which bases lie by their hub names; required");
  app.add_option(
      "--name", words.name,
      "of this worker in the fleet (default: that of its certificate, or the host's name)");
  app.add_option("--threads", words.threads, "of its trainers (default: all cores)");
  app.add_option("--memory", words.memory,
                 "that its trainers may use, as 8GiB (default: what is free)");
  app.add_option("--devices", words.devices,
                 "to use, as cuda:0,cuda:1 (default: all that mozgach-trainer devices lists)")
      ->delimiter(',');
  app.add_option("--http", words.http, "ADDR:PORT for /metrics (default: no listener)");
  app.add_option("--http-allowed-host", words.allowed_hosts,
                 "another name by which --http may be called; again for more, * for every name");
  app.add_option("--trainer", words.trainer,
                 "another trainer than mozgach-trainer beside this program");
  app.add_option("--trainer-silence", words.trainer_silence,
                 "after which a trainer that has work and makes no progress is killed, as 30m (the "
                 "default); 0: never");
  app.add_option("--checkpoint-days", words.checkpoint_days,
                 "that a job's checkpoints are kept without a change (default: 7)");
  app.add_option("--dataset-cache", words.dataset_cache,
                 "size that datasets may take below --data, as 32GiB (the default)");
  app.add_option("--quantized-cache", words.quantized_cache,
                 "size that quantised bases may take (default: a fifth of the disk)");
  app.add_option("--config", words.config,
                 "YAML file with these options by their names, the required ones too");
  app.set_version_flag("--version", MOZGACH_VERSION);
}

// `key:`, `key: ''`, or a list that is empty or has such an entry.
bool IsEmptyValue(const YAML::Node& value) {
  if (value.IsSequence()) {
    return value.size() == 0 || std::any_of(value.begin(), value.end(), IsEmptyValue);
  }
  return value.IsNull() || (value.IsScalar() && value.Scalar().empty());
}

// What the command line left open is taken from the file.
absl::Status Complete(const std::string& path, const CLI::App& app, Words& words) {
  const std::map<std::string, std::string*> texts = {{"scheduler", &words.scheduler},
                                                     {"tls", &words.tls},
                                                     {"data", &words.data},
                                                     {"name", &words.name},
                                                     {"memory", &words.memory},
                                                     {"http", &words.http},
                                                     {"trainer", &words.trainer},
                                                     {"checkpoint-days", &words.checkpoint_days},
                                                     {"dataset-cache", &words.dataset_cache},
                                                     {"quantized-cache", &words.quantized_cache},
                                                     {"trainer-silence", &words.trainer_silence}};
  const std::map<std::string, std::vector<std::string>*> lists = {
      {"bases", &words.bases},
      {"devices", &words.devices},
      {"http-allowed-host", &words.allowed_hosts}};
  try {
    const YAML::Node file = YAML::LoadFile(path);
    if (!file.IsMap()) return absl::InvalidArgumentError(path + ": not a map of options");
    for (const auto& entry : file) {
      const auto key = entry.first.as<std::string>();
      const auto text = texts.find(key);
      const auto list = lists.find(key);
      if (text == texts.end() && list == lists.end() && key != "threads" &&
          key != "insecure_plaintext") {
        std::vector<std::string> known = {"threads", "insecure_plaintext"};
        for (const auto& [name, word] : texts) known.push_back(name);
        for (const auto& [name, words_of] : lists) known.push_back(name);
        const std::string near = NearestName(key, known);
        return absl::InvalidArgumentError(
            absl::StrCat(path, ":", entry.first.Mark().line + 1, ": unknown option '", key, "'; ",
                         near.empty() ? "" : absl::StrCat("did you mean '", near, "'?  "),
                         "there are ", absl::StrJoin(known, ", ")));
      }
      if (IsEmptyValue(entry.second)) {
        return absl::InvalidArgumentError(absl::StrCat(path, ":", entry.first.Mark().line + 1, ": ",
                                                       key,
                                                       " is empty; give a value, or leave it out"));
      }
      const std::string flag = absl::StrCat("--", absl::StrReplaceAll(key, {{"_", "-"}}));
      if (app.get_option(flag)->count() > 0) continue;
      if (text != texts.end()) {
        *text->second = entry.second.as<std::string>();
      } else if (key == "insecure_plaintext") {
        words.insecure_plaintext = entry.second.as<bool>();
      } else if (key == "threads") {
        words.threads = entry.second.as<int64_t>();
      } else {
        *list->second = entry.second.IsSequence() ? entry.second.as<std::vector<std::string>>()
                                                  : std::vector{entry.second.as<std::string>()};
      }
    }
    return absl::OkStatus();
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", error.what()));
  }
}

absl::Status CheckRequired(const Words& words) {
  std::vector<std::string> missing;
  if (words.scheduler.empty()) missing.push_back("--scheduler HOST:PORT");
  if (words.data.empty()) missing.push_back("--data DIR");
  if (words.bases.empty()) missing.push_back("--bases DIR");
  if (missing.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(absl::StrJoin(missing, ", "), missing.size() == 1 ? " is" : " are",
                   " missing, here and in a file of --config; see --help"));
}

// A certificate names its worker: another name would be refused at every call.
absl::StatusOr<std::string> NameOf(const Words& words) {
  std::string issued;
  if (!words.tls.empty()) {
    ASSIGN_OR_RETURN(const CredentialsFolder folder, CredentialsFolder::Open(words.tls));
    issued = folder.name();
    if (folder.has_token()) {
      ASSIGN_OR_RETURN(const std::string token, ReadTokenFile(folder.token()));
      ASSIGN_OR_RETURN(issued, NameInToken(token));
    }
  }
  if (words.name.empty()) return issued.empty() ? HostName() : issued;
  if (issued.empty() || issued == words.name) return words.name;
  return absl::InvalidArgumentError(absl::StrCat(
      "--name is ", words.name, ", but what is in ", words.tls, " was issued to ", issued,
      ": leave --name out, or make another with `mozgachctl fleet worker ", words.name, "`"));
}

absl::Status CheckHttp(const Words& words) {
  if (words.http.empty()) return absl::OkStatus();
  if (words.http.find(':') == std::string::npos || !CheckAddress(words.http, 0).ok()) {
    return absl::InvalidArgumentError("--http takes ADDR:PORT, as 127.0.0.1:7110");
  }
  if (IsLocalAddress(words.http) || words.insecure_plaintext) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--http ", words.http,
                   " can be read by other hosts: listen on 127.0.0.1, or "
                   "say --insecure-plaintext if they may"));
}

absl::StatusOr<DataRules> RulesOf(const Words& words) {
  DataRules rules;
  if (!words.checkpoint_days.empty() &&
      (!absl::SimpleAtoi(words.checkpoint_days, &rules.checkpoint_days) ||
       rules.checkpoint_days < 1 || rules.checkpoint_days > 36500)) {
    return absl::InvalidArgumentError("--checkpoint-days takes a number from 1 to 36500");
  }
  if (!words.dataset_cache.empty()) {
    ASSIGN_OR_RETURN(rules.dataset_bytes, ParseSize(words.dataset_cache));
  }
  if (!words.quantized_cache.empty()) {
    ASSIGN_OR_RETURN(rules.quantized_bytes, ParseSize(words.quantized_cache));
  }
  return rules;
}

absl::StatusOr<WorkerOptions> Check(const Words& words, const fs::path& own_program) {
  RETURN_IF_ERROR(CheckRequired(words));
  WorkerOptions options{.scheduler = words.scheduler,
                        .tls = words.tls,
                        .insecure_plaintext = words.insecure_plaintext,
                        .data = words.data,
                        .bases = {words.bases.begin(), words.bases.end()},
                        .name = words.name,
                        .threads = words.threads.value_or(0),
                        .devices = words.devices,
                        .http = words.http,
                        .http_allowed_hosts = words.allowed_hosts,
                        .trainer = words.trainer};
  ASSIGN_OR_RETURN(options.name, NameOf(words));
  if (words.threads.has_value() && (*words.threads < 1 || *words.threads > kThreadsMax)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--threads takes a number from 1 to ", kThreadsMax, "; without it, all cores are used"));
  }
  if (!words.memory.empty()) {
    ASSIGN_OR_RETURN(options.memory_bytes, ParseSize(words.memory));
  }
  ASSIGN_OR_RETURN(options.rules, RulesOf(words));
  if (!words.trainer_silence.empty()) {
    const absl::StatusOr<Milliseconds> silence = ParseDurationOrZero(words.trainer_silence);
    if (!silence.ok()) return Annotate(silence.status(), "--trainer-silence");
    options.trainer_silence = *silence;
  }
  RETURN_IF_ERROR(CheckHttp(words));
  if (absl::Status hosts = CheckAllowedHosts(words.allowed_hosts); !hosts.ok()) {
    return Annotate(hosts, "--http-allowed-host");
  }
  std::error_code error;
  for (const fs::path& folder : options.bases) {
    if (!fs::is_directory(folder, error)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--bases ", folder.string(), " is not a directory; make it, or correct the path"));
    }
  }
  if (options.trainer.empty()) options.trainer = own_program.parent_path() / "mozgach-trainer";
  options.trainer = fs::absolute(options.trainer, error);
  if (::access(options.trainer.c_str(), X_OK) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("there is no program ", options.trainer.string(),
                                                   "; build it, or name a trainer with --trainer"));
  }
  return options;
}

fs::path OwnProgram(const char* called_as) {
  std::error_code error;
  const fs::path linked = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::absolute(called_as, error) : linked;
}

}  // namespace

absl::StatusOr<std::optional<WorkerOptions>> ReadWorkerOptions(int argc, const char* const* argv) {
  CLI::App app("mozgach-worker: runs the trainers of this host for a mozgach-scheduler",
               "mozgach-worker");
  Words words;
  Define(app, words);
  try {
    ParseCommandLine(app, argc, argv);
  } catch (const CLI::Success& asked) {
    app.exit(asked, std::cout, std::cerr);
    return std::optional<WorkerOptions>();
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(AboutCommandLine(app, error));
  }
  if (!words.config.empty()) RETURN_IF_ERROR(Complete(words.config, app, words));
  ASSIGN_OR_RETURN(WorkerOptions options, Check(words, OwnProgram(argv[0])));
  return std::optional(std::move(options));
}

}  // namespace mozgach
