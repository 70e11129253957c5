#include "trainer/serve/data_ahead.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "trainer/models/rope_frequencies.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

// Training goes first.
void GiveWay() {
#ifdef __linux__
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
#endif
}

bool Small(const DatasetPaths& data) {
  std::vector<std::filesystem::path> files = data.train;
  for (const auto& more : {data.validation, data.test}) {
    if (more) files.push_back(*more);
  }
  uintmax_t bytes = 0;
  for (const auto& file : files) {
    std::error_code error;
    bytes += std::filesystem::file_size(file, error);
    if (error) return false;
  }
  return bytes <= static_cast<uintmax_t>(DataAhead::kMostBytes);
}

bool IsFor(const PrepareRequest& prepared, const TrainRequest& request) {
  return prepared.spec == request.spec && prepared.base_dir == request.base_dir &&
         prepared.data == request.data;
}

}  // namespace

DataAhead::DataAhead(std::function<void(const Done&)> tell)
    : tell_(std::move(tell)), thread_([this] { Work(); }) {}

DataAhead::~DataAhead() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DataAhead::SetBase(const Base* base) {
  const std::lock_guard lock(mutex_);
  base_.reset();
  if (base != nullptr) base_ = Text{TextOf(*base), base->model->config()};
}

void DataAhead::Begin(PrepareRequest request) {
  const std::lock_guard lock(mutex_);
  const bool same = current_ && *current_ == request;
  if (same && (busy_ || ready_)) {
    wanted_.reset();
    return;
  }
  wanted_ = std::move(request);
  if (!busy_) ready_.reset();
  changed_.notify_all();
}

std::optional<JobData> DataAhead::Take(const TrainRequest& request) {
  std::unique_lock lock(mutex_);
  if (wanted_ && IsFor(*wanted_, request)) wanted_.reset();  // as quick to do it now
  if (!current_ || !IsFor(*current_, request)) {
    if (!busy_) ready_.reset();
    return std::nullopt;
  }
  changed_.wait(lock, [this] { return !busy_; });
  current_.reset();
  return std::exchange(ready_, std::nullopt);
}

void DataAhead::Work() {
  GiveWay();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return over_ || wanted_; });
    if (over_) return;
    current_ = std::exchange(wanted_, std::nullopt);
    ready_.reset();
    const PrepareRequest request = *current_;
    if (!base_ || base_->text.dir != request.base_dir || !Small(request.data)) {
      current_.reset();
      continue;
    }
    const Text base = *base_;
    busy_ = true;
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    std::optional<JobData> data = Prepare(request, base);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (data) tell_({request.job, data->report, took.count()});
    lock.lock();
    busy_ = false;
    // What is wanted by now has taken its place.
    if (!wanted_) ready_ = std::move(data);
    changed_.notify_all();
  }
}

std::optional<JobData> DataAhead::Prepare(const PrepareRequest& request, const Text& base) const {
  std::optional<JobData> result;
  const absl::Status status = CatchingExceptions([&]() -> absl::Status {
    ASSIGN_OR_RETURN(const DomainSpec spec, DomainSpecFromJson(request.spec));
    BaseText text = base.text;
    text.longest_text = LongestText({base.config.ropes.front(), RopeScalingOf(spec.rope_scaling),
                                     base.config.head_dim, base.config.max_position_embeddings});
    ASSIGN_OR_RETURN(result, PrepareData(spec, request.data, text));
    return absl::OkStatus();
  });
  if (!status.ok()) result.reset();
  return result;
}

}  // namespace mozgach
