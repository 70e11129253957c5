#include "trainer/checkpoint/base_digest.h"

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/json_text.h"
#include "common/log_line.h"
#include "common/work_count.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kVersion = 1;
constexpr uint64_t kRecordLimitBytes = uint64_t{16} << 20;

std::string Canonical(const fs::path& path) {
  std::error_code error;
  const fs::path canonical = fs::canonical(path, error);
  return (error ? fs::absolute(path, error) : canonical).string();
}

fs::path RecordOf(const fs::path& directory, const fs::path& folder) {
  if (folder.empty()) return {};
  return folder / "digests" / (Sha256Hex(Canonical(directory)).substr(0, 32) + ".json");
}

json EntryOf(const FileStamp& stamp, const std::string& digest) {
  return {{"size", stamp.size},
          {"mtime_ns", stamp.mtime_ns},
          {"ctime_ns", stamp.ctime_ns},
          {"inode", stamp.inode},
          {"sha256", digest}};
}

// The "files" object of a record {"version", "files": {path: entry}}; an empty object if the record
// is missing or unusable.
json ReadRecord(const fs::path& path) {
  if (path.empty()) return json::object();
  const auto text = ReadFile(path, kRecordLimitBytes);
  if (absl::IsNotFound(text.status())) return json::object();
  json record = text.ok() ? ParseJson(*text).value_or(json()) : json();
  if (record.is_object() && record.value("version", json()) == kVersion &&
      record.value("files", json()).is_object()) {
    return record["files"];
  }
  LogInfo(
      absl::StrCat(path.string(), ": is damaged or of another version; the base is hashed again"));
  return json::object();
}

// The digest of a file that still matches its record; "" if it does not.
std::string Remembered(const json& record, const SafetensorsFile& file) {
  const auto entry = record.find(Canonical(file.path()));
  if (entry == record.end() || !entry->is_object()) return "";
  const json value = entry->value("sha256", json());
  const std::string digest = value.is_string() ? value.get<std::string>() : "";
  return IsSha256Hex(digest) && *entry == EntryOf(file.stamp(), digest) ? digest : "";
}

}  // namespace

BaseDigest::BaseDigest(const fs::path& directory, const WeightFiles& files, const fs::path& folder)
    : directory_(directory), files_(files), record_(RecordOf(directory, folder)) {
  const json record = ReadRecord(record_);
  Digests known;
  for (const auto& file : files.files()) {
    std::string digest = Remembered(record, *file);
    if (!digest.empty()) known[Canonical(file->path())] = std::move(digest);
  }
  remembered_ = known.size() == files.files().size();
  const auto policy = remembered_ ? std::launch::deferred : std::launch::async;
  digests_ = std::async(policy, [&files, known]() -> absl::StatusOr<Digests> {
    CountWorkOfThisThread();  // loading waits for it
    Digests digests = known;
    for (const auto& file : files.files()) {
      std::string& digest = digests[Canonical(file->path())];
      if (digest.empty()) {
        ASSIGN_OR_RETURN(digest, file->Digest());
      }
    }
    return digests;
  });
}

BaseDigest::~BaseDigest() {
  if (digests_.valid() && !remembered_) digests_.wait();
}

absl::StatusOr<std::string> BaseDigest::Wait() {
  ASSIGN_OR_RETURN(const std::string config, Sha256OfFile(directory_ / "config.json"));
  ASSIGN_OR_RETURN(const Digests digests, digests_.get());
  std::string lines = absl::StrCat(config, "  config.json\n");
  for (const auto& file : files_.files()) {
    absl::StrAppend(&lines, digests.at(Canonical(file->path())), "  ",
                    file->path().filename().string(), "\n");
  }
  if (!remembered_) Remember(digests);
  return Sha256Hex(lines);
}

void BaseDigest::Remember(const Digests& digests) const {
  if (record_.empty()) return;
  json entries = json::object();
  for (const auto& file : files_.files()) {
    if (!file->stamp().Settled()) return;
    const std::string path = Canonical(file->path());
    entries[path] = EntryOf(file->stamp(), digests.at(path));
  }
  const json record = {{"version", kVersion}, {"base", directory_.string()}, {"files", entries}};
  absl::Status status = MakeDirectories(record_.parent_path());
  if (status.ok()) {
    const std::string text = record.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
    status = DURABLE("trainer.base_digest.keep", WriteFileAtomically(record_, text));
  }
  if (!status.ok()) {
    LogInfo(
        absl::StrCat("cannot remember the base's digest; the next start hashes the base again: ",
                     status.message()));
  }
}

}  // namespace mozgach
