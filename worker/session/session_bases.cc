// The session and the bases: what is here, what is on its way, and what must stay.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "worker/session/session.h"

namespace mozgach {

void Session::BasesFound(FoundBases bases) {
  if (bases == bases_) return;
  bases_ = std::move(bases);
  calls_.UrgentNews();
}

void Session::Provide(WorkerAttempt& attempt, const v1::Assignment& assignment) {
  const AttemptId id = attempt.work.id;
  const std::string& name = attempt.work.base;
  const auto directory = bases_.Find(name, attempt.work.revision);
  const auto known = bases_.all().find(name);
  // Its files may have changed since they were fetched: fetching it again looks at them first.
  const bool fetched = known != bases_.all().end() && !known->second.digest.empty();
  if (assignment.has_base() && assignment.base().base() == name && (!directory.ok() || fetched)) {
    actions_.push_back(FetchBase{id, assignment.base()});
  } else if (directory.ok()) {
    attempt.base_dir = directory->string();
  } else {
    actions_.push_back(RescanBases{});
    Fail(attempt, v1::Failure::INFRASTRUCTURE, std::string(directory.status().message()));
    return;
  }
  actions_.push_back(FetchDatasets{id, attempt.work.datasets});
}

void Session::BaseProgress(const AttemptId& id, const v1::BaseFetch& fetch) {
  const WorkerAttempt* attempt = Find(id);
  if (attempt == nullptr || attempt->state != AttemptState::kFetching) return;
  const auto [known, first] = base_fetches_.insert_or_assign(id, fetch);
  if (first) {
    Log(*attempt, absl::StrCat("fetching the base ", fetch.base(),
                               " from the scheduler: ", fetch.received_bytes(), " of ",
                               fetch.size_bytes(), " bytes are here"));
    calls_.UrgentNews();
  } else {
    calls_.ProgressNews();
  }
}

void Session::BaseFetched(const AttemptId& id, absl::StatusOr<std::string> directory) {
  const bool was_fetching = base_fetches_.erase(id) > 0;
  WorkerAttempt* attempt = Find(id);
  if (attempt == nullptr || attempt->state != AttemptState::kFetching) return;
  if (!directory.ok()) {
    Fail(*attempt, v1::Failure::INFRASTRUCTURE, std::string(directory.status().message()));
    return;
  }
  attempt->base_dir = *std::move(directory);
  if (was_fetching) Log(*attempt, absl::StrCat("the base ", attempt->work.base, " is here"));
  WaitWhenProvided(*attempt);
}

void Session::BaseDisk(uint64_t room_bytes, uint64_t fetched_bytes) {
  base_room_bytes_ = room_bytes;
  base_bytes_fetched_ = fetched_bytes;
}

std::set<std::string> Session::BasesInUse() const {
  std::set<std::string> bases;
  for (const Device& device : devices_) {
    if (!device.loaded_base().empty()) bases.insert(device.loaded_base());
  }
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.OccupiesDevice()) bases.insert(attempt.work.base);
  }
  return bases;
}

std::set<int64_t> Session::JobsHeld() const {
  std::set<int64_t> jobs;
  for (const auto& [id, attempt] : attempts_) jobs.insert(id.job);
  return jobs;
}

}  // namespace mozgach
