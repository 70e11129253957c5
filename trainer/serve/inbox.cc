#include "trainer/serve/inbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"

namespace mozgach {
namespace {

std::optional<AttemptId> IdOf(const Inbox::Work& work) {
  const auto* train = std::get_if<TrainRequest>(&work);
  if (train == nullptr) return std::nullopt;
  return train->id;
}

}  // namespace

absl::Status Inbox::Add(Work work) {
  const MutexLock lock(mutex_);
  if (waiting_.size() >= kWaiting) {
    return absl::ResourceExhaustedError(
        absl::StrCat(kWaiting, " requests wait already; send it again later"));
  }
  waiting_.push_back(std::move(work));
  changed_.notify_one();
  return absl::OkStatus();
}

bool Inbox::busy() const {
  const MutexLock lock(mutex_);
  return current_.has_value() || !waiting_.empty();
}

bool Inbox::Cancel(const AttemptId& id, bool save) {
  const MutexLock lock(mutex_);
  // What need not be saved any more is not saved.
  if (current_ == id && asked_ != Interruption::kCancel) {
    asked_ = save ? Interruption::kStop : Interruption::kCancel;
  }
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Work& work) { return IdOf(work) == id; });
  if (found == waiting_.end()) return false;
  waiting_.erase(found);
  return true;
}

void Inbox::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  waiting_.clear();
  changed_.notify_one();
}

bool Inbox::WaitForWork(std::chrono::milliseconds timeout) {
  MutexLock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || !waiting_.empty();
  });
}

std::optional<Inbox::Work> Inbox::Next() {
  MutexLock lock(mutex_);
  current_.reset();
  asked_ = Interruption::kNone;
  changed_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || !waiting_.empty();
  });
  if (closed_) return std::nullopt;
  Work work = std::move(waiting_.front());
  waiting_.pop_front();
  current_ = IdOf(work);
  return work;
}

Interruption Inbox::Current() const {
  const MutexLock lock(mutex_);
  if (asked_ != Interruption::kNone) return asked_;
  return closed_ ? Interruption::kStop : Interruption::kNone;
}

}  // namespace mozgach
