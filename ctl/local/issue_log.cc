#include "ctl/local/issue_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/files.h"
#include "common/write_all.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

constexpr uint64_t kBytesMax = 256 << 20;

fs::path PathIn(const fs::path& authority) { return authority / "issued.jsonl"; }

std::string WholeLines(std::string text) {
  const size_t last = text.rfind('\n');
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

absl::StatusOr<WallTime> ReadRecord(absl::string_view line, const std::string& name) {
  const nlohmann::json record = nlohmann::json::parse(line.begin(), line.end(), nullptr,
                                                      /*allow_exceptions=*/false);
  const bool known = record.is_object() && record.contains("name") && record["name"].is_string() &&
                     record.contains("issued_ms") && record["issued_ms"].is_number_integer();
  if (!known) return absl::DataLossError("it is not the record of a certificate");
  return record["name"] == name ? FromMillis(record["issued_ms"].get<int64_t>()) : WallTime();
}

}  // namespace

absl::Status RecordIssue(const fs::path& authority, const Identity& identity) {
  const fs::path path = PathIn(authority);
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return SystemError(errno, absl::StrCat("open ", path.string()));
  if (::flock(file.get(), LOCK_EX) != 0)
    return SystemError(errno, absl::StrCat("lock ", path.string()));
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kBytesMax));
  const std::string lines = WholeLines(text);
  if (lines.size() < text.size() &&
      ::ftruncate(file.get(), static_cast<off_t>(lines.size())) != 0) {
    return SystemError(errno, absl::StrCat("shorten ", path.string()));
  }
  const nlohmann::ordered_json record = {{"name", identity.name},
                                         {"role", Name(identity.role)},
                                         {"issued_ms", ToMillis(identity.issued)}};
  RETURN_IF_ERROR(WriteAll(file.get(), record.dump() + "\n", path));
  if (::fsync(file.get()) != 0) return SystemError(errno, absl::StrCat("sync ", path.string()));
  return SyncDirectory(authority);
}

absl::StatusOr<std::vector<WallTime>> IssueTimes(const fs::path& authority,
                                                 const std::string& name) {
  const fs::path path = PathIn(authority);
  std::error_code error;
  if (!fs::exists(path, error)) return absl::NotFoundError(path.string() + " is not there");
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kBytesMax));
  const std::string lines = WholeLines(text);
  std::vector<WallTime> times;
  int64_t number = 0;
  for (const absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    ++number;
    const absl::StatusOr<WallTime> issued = ReadRecord(line, name);
    if (!issued.ok()) {
      return absl::DataLossError(absl::StrCat(path.string(), ", line ", number, ": ",
                                              std::string(issued.status().message()),
                                              "; correct the line, or remove it"));
    }
    if (*issued != WallTime()) times.push_back(*issued);
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace mozgach
