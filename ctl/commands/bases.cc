// mozgachctl bases ls, add and verify.
#include <algorithm>
#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/size_text.h"
#include "ctl/client/blob_upload.h"
#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"
#include "ctl/display/table.h"
#include "ctl/display/transfer_display.h"
#include "ctl/local/base_directory.h"
#include "proto/chat_facts.h"
#include "trainer/data/chat_report.h"

namespace mozgach {
namespace {

// Blobs may be lost between upload and add; more rounds than this mean something is wrong.
constexpr int kUploadRounds = 3;

struct AddFlags {
  std::string directory;
  std::string name;
  bool replace = false;
};

absl::StatusOr<v1::ListBasesResponse> ListBases(Connection& connection) {
  return connection.Call(&v1::BaseService::Stub::ListBases, v1::ListBasesRequest());
}

std::string WorkersOf(const v1::FleetBase& base) {
  std::vector<std::string> words;
  for (const std::string& worker : base.workers()) {
    const bool loaded =
        std::find(base.loaded().begin(), base.loaded().end(), worker) != base.loaded().end();
    words.push_back(absl::StrCat(worker, loaded ? " (loaded)" : ""));
  }
  for (const std::string& worker : base.fetching()) {
    words.push_back(absl::StrCat(worker, " (fetching)"));
  }
  return absl::StrJoin(words, ", ");
}

absl::StatusOr<int> List(const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  ASSIGN_OR_RETURN(const v1::ListBasesResponse response, ListBases(*connection));
  if (settings.json) {
    PrintJson(ToJsonArray(response.bases()));
    return 0;
  }
  if (response.bases().empty()) {
    std::fprintf(stderr, "no bases; give one to the fleet with mozgachctl bases add DIR\n");
    return 0;
  }
  Table table({{.title = "BASE", .least = 12},
               {.title = "SIZE", .right = true, .rank = 2},
               {.title = "DIGEST", .rank = 4},
               {.title = "HELD", .rank = 3},
               {.title = "WORKERS", .least = 10, .rank = 1}});
  for (const v1::FleetBase& base : response.bases()) {
    table.AddRow({base.base(), FormatSize(base.size_bytes()), base.digest().substr(0, 12),
                  base.held() ? "yes" : "no", WorkersOf(base)});
  }
  table.Print();
  return 0;
}

// The files of `manifest` that lie behind `sha256`, once each.
absl::StatusOr<std::vector<DatasetFile>> FilesBehind(
    const BaseDirectory& base, const v1::BaseManifest& manifest,
    const google::protobuf::RepeatedPtrField<std::string>& sha256) {
  std::map<std::string, DatasetFile> by_digest;
  for (int i = 0; i < manifest.files_size(); ++i) {
    const v1::File& file = manifest.files(i);
    by_digest[file.sha256()] = {base.files[static_cast<size_t>(i)].path, file.sha256(),
                                file.size()};
  }
  std::vector<DatasetFile> files;
  for (const std::string& digest : sha256) {
    const auto found = by_digest.find(digest);
    if (found == by_digest.end()) {
      return absl::InternalError(
          absl::StrCat("the scheduler asks for ", digest, ", which is not a file of this base"));
    }
    files.push_back(found->second);
  }
  return files;
}

absl::Status Upload(Connection& connection, const std::vector<DatasetFile>& files,
                    uint64_t* uploaded) {
  uint64_t bytes = 0;
  for (const DatasetFile& file : files) bytes += file.size;
  TransferDisplay display(absl::StrCat("uploading ", files.size(), " file",
                                       files.size() == 1 ? "" : "s", ", ", FormatSize(bytes)),
                          bytes);
  return UploadDatasets(connection, files, [&](uint64_t sent) {
    *uploaded += sent;
    display.Add(sent);
  });
}

absl::StatusOr<int> Add(const AddFlags& flags, const Settings& settings) {
  ASSIGN_OR_RETURN(const BaseDirectory base, ReadBaseDirectory(flags.directory, flags.name));
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  v1::AddBaseRequest request;
  {
    TransferDisplay display(absl::StrCat("hashing ", base.files.size(), " files of ", base.name,
                                         ", ", FormatSize(base.size_bytes)),
                            base.size_bytes);
    ASSIGN_OR_RETURN(*request.mutable_base(),
                     HashBase(base, [&](uint64_t bytes) { display.Add(bytes); }));
  }
  *request.mutable_chat() = ToChatFacts(InspectChat(base.directory));
  request.set_replace(flags.replace);
  request.set_check_blobs(true);
  request.set_actor(Actor());
  uint64_t uploaded = 0;
  v1::AddBaseResponse response;
  for (int round = 1;; ++round) {
    ASSIGN_OR_RETURN(response, connection->Call(&v1::BaseService::Stub::AddBase, request,
                                                Connection::kLongCall));
    if (response.missing_blobs().empty()) break;
    if (round == kUploadRounds) {
      return absl::InternalError("the scheduler loses the files it is sent; its log says why");
    }
    ASSIGN_OR_RETURN(const std::vector<DatasetFile> files,
                     FilesBehind(base, request.base(), response.missing_blobs()));
    RETURN_IF_ERROR(Upload(*connection, files, &uploaded));
    request.set_check_blobs(false);  // what has just been uploaded was hashed on its way
  }
  if (settings.json) {
    PrintJson({{"base", base.name},
               {"outcome", response.outcome()},
               {"digest", request.base().digest()},
               {"size_bytes", request.base().size_bytes()},
               {"files", request.base().files_size()},
               {"uploaded_bytes", uploaded}});
  } else {
    std::printf("%s  %s  %s  %s\n", base.name.c_str(), response.outcome().c_str(),
                FormatSize(base.size_bytes).c_str(), request.base().digest().substr(0, 12).c_str());
  }
  return 0;
}

absl::StatusOr<std::vector<std::string>> HeldBases(Connection& connection) {
  ASSIGN_OR_RETURN(const v1::ListBasesResponse response, ListBases(connection));
  std::vector<std::string> names;
  for (const v1::FleetBase& base : response.bases()) {
    if (base.held()) names.push_back(base.base());
  }
  return names;
}

absl::StatusOr<int> VerifyBases(std::vector<std::string> names, const Settings& settings) {
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  if (names.empty()) {
    ASSIGN_OR_RETURN(names, HeldBases(*connection));
  }
  auto results = nlohmann::ordered_json::array();
  size_t bad = 0;
  for (const std::string& name : names) {
    v1::VerifyBaseRequest request;
    request.set_base(name);
    ASSIGN_OR_RETURN(
        const v1::VerifyBaseResponse result,
        connection->Call(&v1::BaseService::Stub::VerifyBase, request, Connection::kLongCall));
    results.push_back(ToJson(result));
    if (!result.problems().empty()) ++bad;
    if (settings.json) continue;
    for (const std::string& problem : result.problems()) {
      std::printf("%s: %s\n", name.c_str(), Clip(problem, 0).c_str());
    }
  }
  if (settings.json) PrintJson(results);
  std::fflush(stdout);
  std::fprintf(stderr, "%zu base%s verified, %zu damaged%s\n", names.size(),
               names.size() == 1 ? "" : "s", bad,
               bad == 0 ? "" : "; mozgachctl bases add DIR mends a base from its directory");
  return bad == 0 ? 0 : 1;
}

void AddAdd(CLI::App& app, Command* command) {
  auto flags = std::make_shared<AddFlags>();
  CLI::App* add =
      app.add_subcommand("add", "Give a base to the fleet: workers fetch it themselves");
  add->add_option("DIR", flags->directory, "The base, as downloaded from the hub")->required();
  add->add_option("--name", flags->name, "As on the hub (default: the last two parts of DIR)");
  add->add_flag("--replace", flags->replace, "In place of another base of this name");
  add->callback([flags, command] {
    *command = [flags](const Settings& settings) { return Add(*flags, settings); };
  });
}

void AddVerify(CLI::App& app, Command* command) {
  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* verify = app.add_subcommand("verify", "Hash what the scheduler holds again");
  verify->add_option("NAMES", *names, "Bases; all where left out");
  verify->callback([names, command] {
    *command = [names](const Settings& settings) { return VerifyBases(*names, settings); };
  });
}

}  // namespace

void AddBaseCommands(CLI::App& app, Command* command) {
  CLI::App* bases = app.add_subcommand("bases", "The models that adapters are trained on");
  bases->require_subcommand(1);
  CLI::App* list = bases->add_subcommand("ls", "List bases, and which workers have them");
  list->callback([command] { *command = List; });
  AddAdd(*bases, command);
  AddVerify(*bases, command);
}

}  // namespace mozgach
