#include "scheduler/state/worker_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "registry/query.h"
#include "scheduler/jobs/base_key.h"
#include "scheduler/queries.h"
#include "scheduler/state/chat_facts.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

// As stored.
std::string BasesJson(const v1::SynchronizeRequest& request) {
  nlohmann::json list = nlohmann::json::array();
  for (const v1::Base& base : request.bases()) {
    nlohmann::json entry = {{"name", base.name()},
                            {"revisions", nlohmann::json::array()},
                            {"size_bytes", base.size_bytes()},
                            {"digest", base.digest()},
                            {"problem", base.problem()},
                            {"config_digest", base.config_digest()}};
    for (const std::string& revision : base.revisions()) entry["revisions"].push_back(revision);
    if (base.has_chat()) entry["chat"] = ChatFactsJson(base.chat());
    list.push_back(std::move(entry));
  }
  return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool Same(const v1::Base& a, const v1::Base& b) {
  return a.name() == b.name() && a.size_bytes() == b.size_bytes() && a.digest() == b.digest() &&
         a.problem() == b.problem() && a.config_digest() == b.config_digest() &&
         a.has_chat() == b.has_chat() && SameChatFacts(a.chat(), b.chat()) &&
         std::equal(a.revisions().begin(), a.revisions().end(), b.revisions().begin(),
                    b.revisions().end());
}

std::vector<v1::Base> BasesFrom(const std::string& bases_json) {
  std::vector<v1::Base> bases;
  const absl::StatusOr<nlohmann::json> list = ParseJson(bases_json);
  if (!list.ok() || !list->is_array()) return bases;
  for (const nlohmann::json& entry : *list) {
    v1::Base& base = bases.emplace_back();
    base.set_name(entry.at("name").get<std::string>());
    base.set_size_bytes(entry.at("size_bytes").get<uint64_t>());
    base.set_digest(entry.at("digest").get<std::string>());
    base.set_problem(entry.at("problem").get<std::string>());
    base.set_config_digest(entry.value("config_digest", ""));
    v1::ChatFacts chat;
    if (entry.contains("chat") && ReadChatFacts(entry.at("chat"), &chat))
      *base.mutable_chat() = chat;
    for (const auto& revision : entry.at("revisions")) {
      base.add_revisions(revision.get<std::string>());
    }
  }
  return bases;
}

}  // namespace

absl::Status WorkerTable::Recover(const Now& now, WallTime before,
                                  const std::unordered_set<std::string>& keep) {
  workers_.clear();
  std::vector<std::string> forgotten;
  Query rows(database_, sql::kEveryWorker);
  while (rows.Next()) {
    WorkerState worker;
    worker.name = rows.Text(0);
    worker.incarnation = rows.Text(1);
    worker.version = rows.Text(2);
    worker.drain = rows.Int(4) != 0;
    worker.last_call = FromMillis(rows.Int(5));
    worker.drain_by = FromMillis(rows.Int(6));
    worker.known_since = now.since_boot;
    TakeBases(worker, rows.Text(3));
    if (worker.last_call < before && keep.count(worker.name) == 0) {
      forgotten.push_back(worker.name);
    } else {
      workers_.emplace(worker.name, std::move(worker));
    }
  }
  RETURN_IF_ERROR(rows.status());
  for (const std::string& name : forgotten) {
    RETURN_IF_ERROR(Run(database_, sql::kForgetWorker, name));
  }
  return absl::OkStatus();
}

absl::StatusOr<WorkerTable::Arrival> WorkerTable::Arrive(const Now& now,
                                                         const v1::SynchronizeRequest& request) {
  WorkerState* known = Find(request.worker());
  const bool new_incarnation = known == nullptr || known->incarnation != request.incarnation();
  if (known != nullptr && new_incarnation) {
    ASSIGN_OR_RETURN(const bool older, Knows(request.worker(), request.incarnation()));
    if (older) return Arrival::kReplaced;
  }
  if (known != nullptr && !new_incarnation && request.sequence() != 0 &&
      request.sequence() < known->sequence) {
    return Arrival::kOvertaken;
  }
  if (known == nullptr && static_cast<int64_t>(workers_.size()) >= workers_max_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "there are ", workers_.size(), " workers already (workers_max in the configuration)"));
  }
  const bool new_bases =
      new_incarnation || !std::equal(known->bases.begin(), known->bases.end(),
                                     request.bases().begin(), request.bases().end(), Same);
  const std::string bases_json = new_bases ? BasesJson(request) : "";
  if (new_bases) RETURN_IF_ERROR(Save(now, request, bases_json, new_incarnation));
  WorkerState& worker = workers_[request.worker()];
  worker.name = request.worker();
  if (new_bases) TakeBases(worker, bases_json);
  TakeCounts(worker, request, new_incarnation);
  if (new_incarnation) worker.health = {};
  worker.incarnation = request.incarnation();
  worker.version = request.version();
  worker.devices.assign(request.devices().begin(), request.devices().end());
  worker.free_slots = request.free_slots();
  worker.memory_bytes = request.memory_bytes();
  worker.draining = request.draining();
  worker.base_room_bytes = request.base_room_bytes();
  worker.base_fetches.assign(request.base_fetches().begin(), request.base_fetches().end());
  worker.sequence = request.sequence();
  worker.heard = true;
  worker.last_call = now.wall;
  worker.last_call_since_boot = now.since_boot;
  return Arrival::kCurrent;
}

absl::StatusOr<bool> WorkerTable::Knows(const std::string& worker, const std::string& incarnation) {
  Query row(database_, sql::kKnowsIncarnation, worker, incarnation);
  const bool knows = row.Next() && row.Int(0) != 0;
  RETURN_IF_ERROR(row.status());
  return knows;
}

absl::Status WorkerTable::Save(const Now& now, const v1::SynchronizeRequest& request,
                               const std::string& bases_json, bool new_incarnation) {
  Transaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(Run(database_, sql::kSaveWorker, request.worker(), request.incarnation(),
                      request.version(), bases_json, ToMillis(now.wall)));
  ASSIGN_OR_RETURN(const bool known, Knows(request.worker(), request.incarnation()));
  if (new_incarnation && !known) {
    RETURN_IF_ERROR(
        Run(database_, sql::kInsertIncarnation, request.worker(), request.incarnation()));
    RETURN_IF_ERROR(Run(database_, sql::kForgetOldIncarnations, request.worker()));
  }
  return COMMIT("scheduler.worker.save", transaction);
}

void WorkerTable::TakeBases(WorkerState& worker, const std::string& bases_json) {
  worker.bases = BasesFrom(bases_json);
  const std::vector<std::string> keys = OfferedKeys(worker.bases);
  worker.keys = {keys.begin(), keys.end()};
}

void WorkerTable::TakeCounts(WorkerState& worker, const v1::SynchronizeRequest& request,
                             bool new_incarnation) {
  const uint64_t loads_before = new_incarnation ? 0 : worker.base_loads;
  const uint64_t restarts_before = new_incarnation ? 0 : worker.trainer_restarts;
  if (request.base_loads() > loads_before) {
    base_loads_total_ += request.base_loads() - loads_before;
  }
  if (request.trainer_restarts() > restarts_before) {
    trainer_restarts_total_ += request.trainer_restarts() - restarts_before;
  }
  const uint64_t fetched_before = new_incarnation ? 0 : worker.base_bytes_fetched;
  if (request.base_bytes_fetched() > fetched_before) {
    base_bytes_fetched_total_ += request.base_bytes_fetched() - fetched_before;
  }
  worker.base_bytes_fetched = request.base_bytes_fetched();
  worker.base_loads = request.base_loads();
  worker.trainer_restarts = request.trainer_restarts();
}

const WorkerState* WorkerTable::Find(const std::string& worker) const {
  const auto it = workers_.find(worker);
  return it == workers_.end() ? nullptr : &it->second;
}

WorkerState* WorkerTable::Find(const std::string& worker) {
  const auto it = workers_.find(worker);
  return it == workers_.end() ? nullptr : &it->second;
}

absl::Status WorkerTable::RemoveRows(const std::string& worker) {
  RETURN_IF_ERROR(Run(database_, sql::kForgetWorker, worker));
  return Run(database_, sql::kForgetIncarnations, worker);
}

absl::Status WorkerTable::SaveDrain(const std::string& worker, bool drain, WallTime by) {
  if (Find(worker) == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no worker '", worker,
                                            "'; `mozgachctl workers` shows those there are"));
  }
  return Run(database_, sql::kSaveDraining, worker, drain, ToMillis(by));
}

void WorkerTable::MarkDrain(const std::string& worker, bool drain, WallTime by) {
  WorkerState* state = Find(worker);
  if (state == nullptr) return;
  state->drain = drain;
  state->drain_by = by;
  if (!drain) state->draining = false;  // until it says otherwise
}

absl::Status WorkerTable::SaveCalls() {
  Transaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  for (const auto& [name, worker] : workers_) {
    if (!worker.heard) continue;
    RETURN_IF_ERROR(Run(database_, sql::kSaveLastCall, name, ToMillis(worker.last_call)));
  }
  return COMMIT("scheduler.worker.save_calls", transaction);
}

bool WorkerTable::IsLost(const WorkerState& worker, const Now& now, Milliseconds lease) {
  return !worker.heard || now.since_boot - worker.last_call_since_boot > lease;
}

bool WorkerTable::IsAwaited(const WorkerState& worker, const Now& now, Milliseconds lease) {
  return !worker.heard && now.since_boot - worker.known_since <= lease;
}

}  // namespace mozgach
