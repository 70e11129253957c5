#include "scheduler/upkeep/upkeep.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/interruptible_sleep.h"
#include "scheduler/upkeep/backup.h"

namespace mozgach {
namespace {

// After a start the workers come first.
constexpr Milliseconds kFirst(60'000);
constexpr std::chrono::milliseconds kPause(2);

// Many at once would only take the disk from one another, and from the workers.
absl::Status IsUnderWay(const char* what) {
  return absl::UnavailableError(
      absl::StrCat("another ", what, " is under way; try again when it has ended"));
}

}  // namespace

// The executor's core and its state stay where they are as long as the executor.
Upkeep::Upkeep(CoreExecutor& executor, std::filesystem::path data, const Clock& clock)
    : executor_(executor),
      data_(std::move(data)),
      clock_(clock),
      interval_(executor.Run(
          [](Core& core, const Now&) { return core.state().config.retention_interval; })),
      blob_days_kept_(
          executor.Run([](Core& core, const Now&) { return core.state().config.blob_days_kept; })),
      retention_(executor.Run([this](Core& core, const Now&) {
        SchedulerState& state = core.state();
        return Retention(state.config, state.blobs, state.adapters.files(), data_);
      })) {
  if (interval_.count() > 0) thread_ = std::jthread([this] { Run(stop_.get_token()); });
}

Upkeep::~Upkeep() { Stop(); }

absl::Status Upkeep::TakeTurn(const Retention::Step& step) {
  const absl::Status done =
      executor_.Run([&](Core& core, const Now&) { return step(core.state().database); });
  std::this_thread::sleep_for(kPause);
  return done;
}

absl::StatusOr<Collection> Upkeep::Collect(bool dry_run, const std::string& actor) {
  const std::unique_lock<Mutex> lock(collecting_, std::try_to_lock);
  if (!lock.owns_lock()) return IsUnderWay("collection of garbage");
  if (!dry_run) {
    return retention_.Collect([this](const Retention::Step& step) { return TakeTurn(step); },
                              clock_.Now(), actor, stop_.get_token());
  }
  // On a connection of its own: nobody waits for the copy.
  ASSIGN_OR_RETURN(const auto source, Database::OpenToRead((data_ / kDatabaseName).string()));
  return retention_.Preview(*source, clock_.Now());
}

absl::StatusOr<ConsistencyCheck> Upkeep::CheckConsistency(bool deep) {
  const std::unique_lock<Mutex> lock(checking_, std::try_to_lock);
  if (!lock.owns_lock()) return IsUnderWay("consistency check");
  return CheckConsistencyTwice({.data = data_, .deep = deep, .blob_days_kept = blob_days_kept_},
                               clock_);
}

void Upkeep::Run(std::stop_token stop) {
  for (Milliseconds wait = std::min(interval_, kFirst);; wait = interval_) {
    if (SleepUnlessStopped(stop, wait)) return;
    const auto collection = Collect(false, "scheduler");
    if (!collection.ok() && !absl::IsUnavailable(collection.status())) {
      spdlog::warn("what nobody needs stays until the next try: {}",
                   std::string(collection.status().message()));
    }
  }
}

}  // namespace mozgach
