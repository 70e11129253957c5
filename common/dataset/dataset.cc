#include "common/dataset/dataset.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/dataset/row_formats.h"
#include "common/files.h"
#include "common/json_text.h"
#include "common/utf8.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

constexpr size_t kLineBytes = size_t{16} << 20;
constexpr int64_t kValues = 1'000'000;

constexpr std::array<std::pair<std::string_view, RowFormat>, 6> kFormats = {{
    {"auto", RowFormat::kAuto},
    {"alpaca", RowFormat::kAlpaca},
    {"messages", RowFormat::kMessages},
    {"prompt_completion", RowFormat::kPromptCompletion},
    {"sharegpt", RowFormat::kShareGpt},
    {"text", RowFormat::kText},
}};

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

absl::Status LineTooLong() {
  return absl::InvalidArgumentError(
      "the line is longer than 16 MiB: a dataset has one row per line");
}

// Lines of a file, read in pieces: a file without line breaks costs kLineBytes, no more.
class LineReader {
 public:
  explicit LineReader(FileDescriptor file) : file_(std::move(file)), buffer_(1 << 16, '\0') {}

  // False at the end.  A line that is too long is passed over whole; `*too_long` says so.
  absl::StatusOr<bool> Next(std::string* line, bool* too_long) {
    line->clear();
    *too_long = false;
    for (bool any = false;; any = true) {
      if (begin_ == end_) {
        RETURN_IF_ERROR(Fill());
        if (end_ == 0) return any;
      }
      const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
      const size_t newline = rest.find('\n');
      const std::string_view piece = rest.substr(0, newline);
      if (line->size() + piece.size() > kLineBytes) *too_long = true;
      if (!*too_long) line->append(piece);
      begin_ += newline == std::string_view::npos ? piece.size() : newline + 1;
      if (newline != std::string_view::npos) return true;
    }
  }

 private:
  absl::Status Fill() {
    begin_ = end_ = 0;
    ssize_t count;
    do {
      count = ::read(file_.get(), buffer_.data(), buffer_.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) return SystemError(errno, "read");
    end_ = static_cast<size_t>(count);
    return absl::OkStatus();
  }

  FileDescriptor file_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

absl::StatusOr<FileDescriptor> OpenDataset(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return SystemError(errno, absl::StrCat("open ", path.string()));
  struct stat status;
  if (::fstat(file.get(), &status) != 0) {
    return SystemError(errno, absl::StrCat("look at ", path.string()));
  }
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), ": not a file: a dataset is one JSONL file"));
  }
  return file;
}

absl::Status NoRows(const std::string& name, int64_t left_out) {
  if (left_out > 0) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": no rows to train: all ", left_out,
                                                   " say themselves that they are not trained ",
                                                   "('weight', 'train' or the like)"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": no rows: a dataset needs at least one JSON object, one per line"));
}

// Files that are often given in place of JSON Lines, by their first bytes.
constexpr std::array<std::pair<std::string_view, const char*>, 9> kOtherFiles = {{
    {"\x1f\x8b", "gzip: decompress it"},
    {"\x28\xb5\x2f\xfd", "zstd: decompress it"},
    {"BZh", "bzip2: decompress it"},
    {"\xfd\x37zXZ", "xz: decompress it"},
    {"PK\x03\x04", "a zip archive: unpack it"},
    {"PAR1", "Parquet: write its rows as JSON Lines"},
    {"ARROW1", "Arrow: write its rows as JSON Lines"},
    {"\xff\xfe", "UTF-16: save it as UTF-8"},
    {"\xfe\xff", "UTF-16: save it as UTF-8"},
}};

// One message for a file whose first line shows that it is not JSON Lines; `text` is that line.
absl::Status CheckIsJsonLines(std::string_view text) {
  for (const auto& [begin, what] : kOtherFiles) {
    if (!text.starts_with(begin)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the file is ", what, "; a dataset has one JSON object per line"));
  }
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  if (text.starts_with("[")) {
    return absl::InvalidArgumentError(
        "the file is a JSON array, a dataset is JSON Lines: one object per line, without the "
        "brackets and commas around them; `jq -c '.[]' FILE > FILE.jsonl` converts it");
  }
  if (!text.starts_with("{")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the line is not a JSON object: a dataset has one per line, this one starts with '",
        Abbreviate(Showable(text), 20), "'"));
  }
  const size_t last = text.find_last_not_of(" \t");
  if (text[last] == '}') return absl::OkStatus();
  if (last == 0 || text[last] == ',' || text[last] == '[' || text[last] == '{') {
    return absl::InvalidArgumentError(
        "the row goes on below this line, a dataset is JSON Lines: one object per line; `jq -c . "
        "FILE > FILE.jsonl` converts it");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RowFormat> ParseRowFormat(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [known_name, format] : kFormats) {
    if (name == known_name) return format;
    known.emplace_back(known_name);
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown format '", Abbreviate(name, 40),
                                                 "': formats are ", absl::StrJoin(known, ", ")));
}

bool Row::HasUntrainedTurn() const {
  for (size_t i = static_cast<size_t>(first_target); i < messages.size(); ++i) {
    if (messages[i].role == "assistant" && !messages[i].trained) return true;
  }
  return false;
}

absl::StatusOr<Row> ParseRow(std::string_view line, RowFormat format, UnknownKeys* unknown) {
  if (line.size() > kLineBytes) return LineTooLong();
  if (const size_t bad = FirstInvalidUtf8(line); bad != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("byte ", bad + 1, " of the line is not UTF-8: save the file as UTF-8"));
  }
  RETURN_IF_ERROR(CheckJsonShape(line, kValues));
  ASSIGN_OR_RETURN(const nlohmann::json object, ParseJson(line));
  if (!object.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the row is ", object.type_name(),
                     ", it must be a JSON object: a dataset has one per line"));
  }
  if (format == RowFormat::kAuto) {
    ASSIGN_OR_RETURN(format, FormatByKeys(object));
  }
  if (unknown != nullptr) unknown->BeginRow();
  return RowFromJson(object, format, unknown);
}

absl::StatusOr<Dataset> ReadDataset(const fs::path& path, RowFormat format, std::string_view given,
                                    int max_problems) {
  const std::string name = given.empty() ? path.string() : std::string(given);
  ASSIGN_OR_RETURN(FileDescriptor file, OpenDataset(path));
  LineReader reader(std::move(file));
  Dataset dataset;
  std::vector<std::string> problems;
  std::string line;
  bool too_long = false, first = true;
  for (int64_t number = 1; static_cast<int>(problems.size()) < max_problems; ++number) {
    absl::StatusOr<bool> more = reader.Next(&line, &too_long);
    if (!more.ok()) return Annotate(more.status(), path.string());
    if (!*more) break;
    std::string_view text = line;
    if (number == 1 && text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (!too_long && IsBlank(text)) continue;
    const std::string place = absl::StrCat(name, ":", number);
    if (std::exchange(first, false) && !too_long) {
      const absl::Status lines = CheckIsJsonLines(text);
      if (!lines.ok()) return Annotate(lines, place);
    }
    absl::StatusOr<Row> row =
        too_long ? LineTooLong() : ParseRow(text, format, &dataset.unknown_keys);
    if (!row.ok()) {
      problems.push_back(absl::StrCat(place, ": ", row.status().message()));
      continue;
    }
    row->line = number;
    if (row->trained) {
      dataset.rows.push_back(*std::move(row));
    } else {
      ++dataset.left_out;
    }
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  if (dataset.rows.empty()) return NoRows(name, dataset.left_out);
  return dataset;
}

}  // namespace mozgach
