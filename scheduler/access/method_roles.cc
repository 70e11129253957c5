#include "scheduler/access/method_roles.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

constexpr MethodRoles kTable[] = {
    {"/mozgach.v1.JobService/Submit", Role::kSubmitter, false},
    {"/mozgach.v1.JobService/List", Role::kViewer, false},
    {"/mozgach.v1.JobService/Get", Role::kViewer, false},
    {"/mozgach.v1.JobService/Watch", Role::kViewer, false},
    {"/mozgach.v1.JobService/Cancel", Role::kSubmitter, false},
    {"/mozgach.v1.JobService/Retry", Role::kSubmitter, false},
    {"/mozgach.v1.JobService/Explain", Role::kViewer, false},
    {"/mozgach.v1.JobService/Logs", Role::kViewer, false},
    {"/mozgach.v1.JobService/ListWorkers", Role::kViewer, false},
    {"/mozgach.v1.JobService/DrainWorker", Role::kOperator, false},
    {"/mozgach.v1.JobService/ForgetWorker", Role::kOperator, false},
    {"/mozgach.v1.JobService/ListEvents", Role::kViewer, false},

    {"/mozgach.v1.RegistryService/ListVersions", Role::kViewer, false},
    {"/mozgach.v1.RegistryService/GetVersion", Role::kViewer, false},
    {"/mozgach.v1.RegistryService/SetAlias", Role::kOperator, false},
    {"/mozgach.v1.RegistryService/DownloadFile", Role::kViewer, false},
    // Reading gigabytes for each call is not what everybody who may look should be able to start.
    {"/mozgach.v1.RegistryService/VerifyVersion", Role::kSubmitter, false},

    {"/mozgach.v1.BaseService/AddBase", Role::kOperator, false},
    {"/mozgach.v1.BaseService/ListBases", Role::kViewer, false},
    {"/mozgach.v1.BaseService/VerifyBase", Role::kSubmitter, false},

    // No person can pass for a worker.
    {"/mozgach.v1.WorkerService/Synchronize", Role::kWorker, true},
    {"/mozgach.v1.WorkerService/StatBlobs", Role::kSubmitter, true},
    {"/mozgach.v1.WorkerService/UploadBlob", Role::kSubmitter, true},
    // Datasets are for those who train on them.
    {"/mozgach.v1.WorkerService/DownloadBlob", Role::kWorker, true},
    {"/mozgach.v1.WorkerService/AppendLog", Role::kWorker, true},

    {"/mozgach.v1.FleetService/WhoAmI", Role::kViewer, true},
    {"/mozgach.v1.FleetService/AddToken", Role::kOperator, false},
    {"/mozgach.v1.FleetService/ListTokens", Role::kOperator, false},
    {"/mozgach.v1.FleetService/Revoke", Role::kOperator, false},

    {"/mozgach.v1.UpkeepService/CheckConsistency", Role::kSubmitter, false},
    {"/mozgach.v1.UpkeepService/CollectGarbage", Role::kOperator, false},

    {"/grpc.health.v1.Health/Check", Role::kViewer, true},
    {"/grpc.health.v1.Health/Watch", Role::kViewer, true},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Role::kViewer, false},
};

}  // namespace

const MethodRoles* FindMethodRoles(std::string_view path) {
  const auto* found = std::find_if(std::begin(kTable), std::end(kTable),
                                   [&](const MethodRoles& row) { return path == row.path; });
  return found == std::end(kTable) ? nullptr : found;
}

absl::Status CheckMayCall(Role role, std::string_view path) {
  const MethodRoles* row = FindMethodRoles(path);
  if (row == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("there is no method ", absl::CHexEscape(std::string(path.substr(0, 100)))));
  }
  const bool may =
      role == Role::kWorker ? row->workers : row->least != Role::kWorker && row->least <= role;
  if (may) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      role == Role::kOperator ? "an " : "a ", Name(role), " may not call ",
      std::string(path.substr(path.rfind('/') + 1)), ": that takes the role ", Name(row->least)));
}

}  // namespace mozgach
