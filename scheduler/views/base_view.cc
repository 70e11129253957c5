#include "scheduler/views/base_view.h"

#include <map>

#include "scheduler/placement/placement.h"

namespace mozgach {
namespace {

v1::FleetBase ShowHeld(const BaseCatalog::Entry& entry) {
  v1::FleetBase view;
  view.set_base(entry.manifest.base());
  view.set_size_bytes(entry.manifest.size_bytes());
  view.set_digest(entry.manifest.digest());
  view.set_held(true);
  *view.mutable_revisions() = entry.manifest.revisions();
  view.set_files(entry.manifest.files_size());
  view.set_added_at(FormatTime(entry.added));
  return view;
}

void ShowWorker(const WorkerState& worker, std::map<std::string, v1::FleetBase>& bases) {
  for (const v1::Base& base : worker.bases) {
    if (!base.problem().empty()) continue;
    v1::FleetBase& view = bases[base.name()];
    view.set_base(base.name());
    if (view.size_bytes() == 0) view.set_size_bytes(base.size_bytes());
    if (view.digest().empty()) view.set_digest(base.digest());
    view.add_workers(worker.name);
    if (HasLoaded(worker, base.name())) view.add_loaded(worker.name);
  }
  for (const v1::BaseFetch& fetch : worker.base_fetches) {
    v1::FleetBase& view = bases[fetch.base()];
    view.set_base(fetch.base());
    view.add_fetching(worker.name);
  }
}

}  // namespace

v1::ListBasesResponse ViewBases(const SchedulerState& state, const Now& now) {
  std::map<std::string, v1::FleetBase> bases;
  for (const auto& [name, entry] : state.bases.all()) bases[name] = ShowHeld(entry);
  for (const auto& [name, worker] : state.worker_table.workers()) {
    if (!WorkerTable::IsLost(worker, now, state.config.lease)) ShowWorker(worker, bases);
  }
  v1::ListBasesResponse response;
  for (auto& [name, view] : bases) *response.add_bases() = std::move(view);
  return response;
}

}  // namespace mozgach
