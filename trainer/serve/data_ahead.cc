#include "trainer/serve/data_ahead.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "common/mutex.h"
#include "trainer/attention/rope_frequencies.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

// Lowers the priority of this thread: training goes first.
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

}  // namespace

DataAhead::DataAhead(Tell tell) : tell_(std::move(tell)), thread_([this] { Work(); }) {}

DataAhead::~DataAhead() {
  {
    const MutexLock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DataAhead::SetBase(const Base* base) {
  const MutexLock lock(mutex_);
  base_.reset();
  // Rows prepared with another base's tokenizer and template are not valid for this base.
  current_.reset();
  ready_.reset();
  changed_.notify_all();
  if (base != nullptr) base_ = Text{TextOf(*base), base->model->config()};
}

void DataAhead::Begin(const TrainRequest& request) {
  const MutexLock lock(mutex_);
  wanted_.push_back(request);
  changed_.notify_all();
}

void DataAhead::Drop(const AttemptId& id) {
  const MutexLock lock(mutex_);
  std::erase_if(wanted_, [&](const TrainRequest& request) { return request.id == id; });
  if (!Holds(id)) return;
  current_.reset();
  ready_.reset();
  changed_.notify_all();
}

std::optional<JobData> DataAhead::Take(const AttemptId& id) {
  MutexLock lock(mutex_);
  std::erase_if(wanted_, [&](const TrainRequest& request) { return request.id == id; });
  if (Holds(id))
    changed_.wait(lock,
                  [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !busy_ || !Holds(id); });
  std::optional<JobData> data;
  if (Holds(id)) data = std::move(ready_);
  // The data of another job would block the waiting jobs.
  current_.reset();
  ready_.reset();
  changed_.notify_all();
  return data;
}

void DataAhead::Work() {
  GiveWay();
  MutexLock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return over_ || (!current_ && !wanted_.empty());
    });
    if (over_) return;
    current_ = std::move(wanted_.front());
    wanted_.pop_front();
    if (!base_ || base_->text.dir != current_->base_dir || !Small(current_->data)) {
      current_.reset();
      continue;
    }
    const TrainRequest request = *current_;
    const Text base = *base_;
    busy_ = true;
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    std::optional<JobData> data = Prepare(request, base);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (data) tell_(request.id, data->report, took.count());
    lock.lock();
    busy_ = false;
    if (Holds(request.id)) ready_ = std::move(data);
    changed_.notify_all();
  }
}

std::optional<JobData> DataAhead::Prepare(const TrainRequest& request, const Text& base) const {
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
