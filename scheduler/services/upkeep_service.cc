#include "scheduler/services/upkeep_service.h"

#include <algorithm>

#include "scheduler/access/unary_reply.h"

namespace mozgach {
namespace {

constexpr size_t kFindingsMax = 10'000;

v1::Finding View(const Finding& finding) {
  v1::Finding view;
  view.set_weight(Name(finding.weight));
  view.set_where(finding.where);
  view.set_what(finding.what);
  view.set_advice(finding.advice);
  return view;
}

v1::CollectGarbageResponse View(const Collection& collection) {
  v1::CollectGarbageResponse view;
  for (const Garbage& item : collection.garbage) {
    v1::Garbage& shown = *view.add_garbage();
    shown.set_kind(item.kind);
    shown.set_name(item.name);
    shown.set_why(item.why);
    shown.set_bytes(item.bytes);
  }
  for (const Collection::Total& total : collection.totals) {
    v1::GarbageTotal& shown = *view.add_totals();
    shown.set_kind(total.kind);
    shown.set_count(total.count);
    shown.set_bytes(total.bytes);
  }
  return view;
}

}  // namespace

grpc::ServerUnaryReactor* UpkeepService::CheckConsistency(
    grpc::CallbackServerContext* context, const v1::CheckConsistencyRequest* request,
    v1::CheckConsistencyResponse* response) {
  return ReplyWith(context, LookAt(request->deep()), response);
}

absl::StatusOr<v1::CheckConsistencyResponse> UpkeepService::LookAt(bool deep) {
  ASSIGN_OR_RETURN(const ConsistencyCheck check, upkeep_.CheckConsistency(deep));
  v1::CheckConsistencyResponse response;
  const size_t shown = std::min(check.findings.size(), kFindingsMax);
  for (size_t i = 0; i < shown; ++i) *response.add_findings() = View(check.findings[i]);
  response.set_schema(check.schema);
  response.set_jobs(check.jobs);
  response.set_versions(check.versions);
  response.set_files(check.files);
  response.set_blobs(check.blobs);
  response.set_time(FormatTime(clock_.Now()));
  response.set_version(MOZGACH_VERSION);
  return response;
}

grpc::ServerUnaryReactor* UpkeepService::CollectGarbage(grpc::CallbackServerContext* context,
                                                        const v1::CollectGarbageRequest* request,
                                                        v1::CollectGarbageResponse* response) {
  return ReplyWith(context, Collect(*context, *request), response);
}

absl::StatusOr<v1::CollectGarbageResponse> UpkeepService::Collect(
    const grpc::CallbackServerContext& context, const v1::CollectGarbageRequest& asked) {
  ASSIGN_OR_RETURN(const v1::CollectGarbageRequest request, authenticator_.Sign(context, asked));
  ASSIGN_OR_RETURN(const Collection collection,
                   upkeep_.Collect(request.dry_run(), request.actor()));
  return View(collection);
}

}  // namespace mozgach
