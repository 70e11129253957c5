#include "trainer/quant/quantized_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/log_line.h"
#include "failpoint/failpoint.h"
#include "trainer/checkpoint/checksum.h"
#include "trainer/quant/four_bit_checkpoint.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr char kVersion[] = "1";
constexpr char kKept[] = ".safetensors";
constexpr char kDraft[] = ".draft";
constexpr int64_t kTensorsPerWeight = 6;
constexpr int64_t kSuffixBytes = 40;     // what part names add to the weight's name
constexpr int64_t kSmallestRatio = 3;    // stored bytes / 4-bit bytes, from 16 bits
constexpr double kShareOfDisk = 0.2;     // share of the file system that the cache may use
constexpr double kShareLeftFree = 0.05;  // share of the file system that must stay free

void LogNotKept(const absl::Status& status) {
  LogInfo(absl::StrCat("cannot keep the quantised base for the next start: ", status.message()));
}

uint64_t ChecksumOf(const SafetensorsFile& file) {
  std::map<const char*, std::string_view> by_place;
  for (const auto& [name, stored] : file.tensors()) {
    by_place[stored.bytes.data()] = stored.bytes;
  }
  uint64_t checksum = 0;
  for (const auto& [place, bytes] : by_place) checksum = JoinChecksums(checksum, Checksum(bytes));
  return checksum;
}

std::map<std::string, std::string> Metadata(const QuantizedForm& form, uint64_t checksum) {
  return {{"format", "mozgach quantized base"},
          {"version", kVersion},
          {"form", form.Name()},
          {"checksum", absl::StrCat(checksum)}};
}

struct Kept {
  fs::file_time_type used;
  fs::path path;
  int64_t bytes;
};

std::vector<Kept> FilesWith(const fs::path& folder, const char* extension) {
  std::vector<Kept> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (it->path().extension() != extension || !it->is_regular_file(gone)) continue;
    const auto used = it->last_write_time(gone);
    const auto bytes = it->file_size(gone);
    if (!gone) files.push_back({used, it->path(), static_cast<int64_t>(bytes)});
  }
  std::sort(files.begin(), files.end(),
            [](const Kept& a, const Kept& b) { return a.used < b.used; });
  return files;
}

// Removes drafts of dead processes: their lock is free.
void SweepDrafts(const fs::path& folder) {
  for (const Kept& draft : FilesWith(folder, kDraft)) {
    const FileDescriptor fd(open(draft.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.valid() && flock(fd.get(), LOCK_EX | LOCK_NB) == 0) unlink(draft.path.c_str());
  }
}

}  // namespace

std::string QuantizedForm::Name() const {
  return absl::StrCat(base_digest, "-nf4", double_quant ? "-double" : "", "-", threads, "t");
}

QuantizedDraft::~QuantizedDraft() {
  if (!path_.empty()) unlink(path_.c_str());
}

void QuantizedDraft::Fail(const absl::Status& status) {
  LogNotKept(status);
  stream_.reset();
  unlink(path_.c_str());
  path_.clear();
}

void QuantizedDraft::Add(const std::string& name, const QuantizedWeight& weight) {
  if (!stream_) return;
  for (const auto& [part, tensor] : FourBitTensors(name, weight)) {
    const absl::Status status = stream_->Add(part, tensor);
    if (!status.ok()) return Fail(status);
    checksum_ = JoinChecksums(
        checksum_, Checksum({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}));
  }
}

QuantizedCache::QuantizedCache(fs::path folder, int64_t limit_bytes)
    : folder_(folder.empty() ? fs::path() : folder / "quantized"), limit_bytes_(limit_bytes) {}

fs::path QuantizedCache::FileOf(const QuantizedForm& form) const {
  return folder_ / (form.Name() + kKept);
}

std::optional<WeightFiles> QuantizedCache::Find(const QuantizedForm& form) const {
  if (folder_.empty()) return std::nullopt;
  const fs::path path = FileOf(form);
  const auto file = SafetensorsFile::Open(path);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  if (file.ok() && (*file)->metadata() == Metadata(form, ChecksumOf(**file))) {
    utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return WeightFiles::Of(*file);
  }
  LogInfo(absl::StrCat(file.ok() ? path.string() + ": is damaged or of another version"
                                 : std::string(file.status().message()),
                       "; the base is quantised again"));
  Drop(form);
  return std::nullopt;
}

void QuantizedCache::Drop(const QuantizedForm& form) const { unlink(FileOf(form).c_str()); }

std::unique_ptr<QuantizedDraft> QuantizedCache::Begin(const WeightFiles& weights) const {
  if (folder_.empty()) return nullptr;
  static std::atomic<int> counter = 0;
  const fs::path path = folder_ / absl::StrCat(getpid(), ".", counter.fetch_add(1), kDraft);
  const auto begin = [&]() -> absl::StatusOr<SafetensorsStream> {
    RETURN_IF_ERROR(MakeDirectories(folder_));
    SweepDrafts(folder_);
    std::error_code error;
    const fs::space_info space = fs::space(folder_, error);
    const int64_t spare =
        static_cast<int64_t>(kShareLeftFree * static_cast<double>(space.capacity));
    if (!error &&
        static_cast<int64_t>(space.available) < weights.bytes() / kSmallestRatio + spare) {
      return absl::ResourceExhaustedError(
          absl::StrCat(folder_.string(), ": only ", space.available, " bytes are free"));
    }
    int64_t name_bytes = 0;
    const std::vector<std::string> names = weights.Names();
    for (const std::string& name : names) {
      name_bytes += kTensorsPerWeight * (static_cast<int64_t>(name.size()) + kSuffixBytes);
    }
    return SafetensorsStream::Create(
        path, HeaderRoom(kTensorsPerWeight * static_cast<int64_t>(names.size()), name_bytes));
  };
  auto stream = begin();
  if (!stream.ok()) {
    LogNotKept(stream.status());
    return nullptr;
  }
  flock(stream->fd(), LOCK_EX | LOCK_NB);
  return std::unique_ptr<QuantizedDraft>(new QuantizedDraft(path, *std::move(stream)));
}

void QuantizedCache::Keep(QuantizedDraft& draft, const QuantizedForm& form) const {
  if (!draft.stream_) return;
  absl::Status status = DURABLE("trainer.quantized_weights.sync",
                                draft.stream_->Finish(Metadata(form, draft.checksum_)));
  if (status.ok()) {
    status = DURABLE("trainer.quantized_weights.keep", RenameDurably(draft.path_, FileOf(form)));
  }
  if (!status.ok()) return draft.Fail(status);
  draft.path_.clear();
  MakeRoom(FileOf(form));
}

int64_t QuantizedCache::Limit() const {
  if (limit_bytes_ > 0) return limit_bytes_;
  std::error_code error;
  const fs::space_info space = fs::space(folder_, error);
  return error ? 0 : static_cast<int64_t>(kShareOfDisk * static_cast<double>(space.capacity));
}

void QuantizedCache::MakeRoom(const fs::path& kept) const {
  std::vector<Kept> files = FilesWith(folder_, kKept);
  // The new file is removed last.
  std::stable_partition(files.begin(), files.end(),
                        [&](const Kept& file) { return file.path != kept; });
  int64_t total = 0;
  for (const Kept& file : files) total += file.bytes;
  const int64_t limit = Limit();
  for (const Kept& file : files) {
    if (total <= limit) return;
    LogInfo(absl::StrCat(file.path.string(), ": removed, because the quantised bases take ", total,
                         " bytes and the limit is ", limit));
    unlink(file.path.c_str());
    total -= file.bytes;
  }
}

}  // namespace mozgach
