#include "ctl/job_feed.h"

namespace mozgach {
namespace {

// A call is made anew after this long, so that a scheduler that went without a word is noticed.
constexpr std::chrono::seconds kCallLength{60};
// How soon the end of the feed is noticed while the scheduler is away.
constexpr Milliseconds kSlice{200};

}  // namespace

JobFeed::JobFeed(Connection& connection, v1::Selector selector)
    : connection_(connection), selector_(std::move(selector)), thread_([this] { Run(); }) {}

JobFeed::~JobFeed() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  thread_.join();
}

JobFeed::News JobFeed::Next(Milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return !news_.empty() || ended_; });
  News news;
  for (auto& [number, job] : news_) news.changed.push_back(std::move(job));
  news_.clear();
  if (ended_) news.ended = ended_;
  return news;
}

absl::Status JobFeed::WaitUntilUp() {
  const auto give_up = std::chrono::steady_clock::now() + Connection::kPatience;
  while (!Stopped()) {
    if (connection_.WaitUntilUp(kSlice).ok()) return absl::OkStatus();
    if (std::chrono::steady_clock::now() >= give_up) return connection_.NoAnswer();
  }
  return absl::CancelledError("hung up");
}

void JobFeed::Run() {
  while (!Stopped()) {
    const absl::Status up = WaitUntilUp();
    if (!up.ok()) return End(up);
    const grpc::Status status = Watch();
    if (status.ok()) return End(absl::OkStatus());
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      std::this_thread::sleep_for(Milliseconds(200));
    } else if (status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
      return End(connection_.Explain(status));
    }
  }
}

grpc::Status JobFeed::Watch() {
  v1::WatchRequest request;
  *request.mutable_selector() = selector_;
  const auto stream = connection_.jobs().Watch(&NewContext(), request);
  v1::WatchResponse response;
  while (stream->Read(&response)) {
    std::lock_guard lock(mutex_);
    for (v1::Job& job : *response.mutable_jobs()) news_[job.job()] = std::move(job);
    changed_.notify_one();
  }
  return stream->Finish();
}

grpc::ClientContext& JobFeed::NewContext() {
  std::lock_guard lock(mutex_);
  context_ = std::make_unique<grpc::ClientContext>();
  context_->set_deadline(std::chrono::system_clock::now() + kCallLength);
  if (stopped_) context_->TryCancel();
  return *context_;
}

bool JobFeed::Stopped() {
  std::lock_guard lock(mutex_);
  return stopped_;
}

void JobFeed::End(absl::Status status) {
  std::lock_guard lock(mutex_);
  ended_ = std::move(status);
  changed_.notify_one();
}

}  // namespace mozgach
