#include "scheduler/services/registry_service.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/access/unary_reply.h"
#include "scheduler/services/file_stream.h"

namespace mozgach {
namespace {

v1::Version View(const AdapterStore& adapters, const Version& version, bool with_files) {
  v1::Version view;
  view.set_domain(version.domain);
  view.set_version(VersionName(version.number));
  for (const std::string& alias : version.aliases) view.add_aliases(alias);
  view.set_path(adapters.files().Directory(version.domain, version.number).string());
  view.set_metrics_json(version.metrics_json);
  view.set_job(version.job);
  view.set_attempt(version.attempt);
  view.set_base(version.base);
  view.set_base_digest(version.base_digest);
  view.set_spec_digest(version.spec_digest);
  view.set_dataset_digest(version.dataset_digest);
  view.set_code_version(version.code_version);
  view.set_published_at(FormatTime(version.published_at));
  view.set_size_bytes(version.size_bytes);
  if (!with_files) return view;
  for (const VersionFile& file : version.files) {
    v1::File& shown = *view.add_files();
    shown.set_path(file.path);
    shown.set_sha256(file.sha256);
    shown.set_size(file.size);
  }
  return view;
}

}  // namespace

grpc::ServerUnaryReactor* RegistryService::ListVersions(grpc::CallbackServerContext* context,
                                                        const v1::ListVersionsRequest* request,
                                                        v1::ListVersionsResponse* response) {
  return ReplyWith(context, List(request->domain()), response);
}

absl::StatusOr<v1::ListVersionsResponse> RegistryService::List(const std::string& domain) {
  return executor_.Run([&](Core& core, const Now&) -> absl::StatusOr<v1::ListVersionsResponse> {
    AdapterStore& adapters = core.state().adapters;
    ASSIGN_OR_RETURN(const std::vector<Version> versions, adapters.List(domain));
    v1::ListVersionsResponse response;
    for (const Version& version : versions) {
      *response.add_versions() = View(adapters, version, false);
    }
    return response;
  });
}

grpc::ServerUnaryReactor* RegistryService::GetVersion(grpc::CallbackServerContext* context,
                                                      const v1::GetVersionRequest* request,
                                                      v1::Version* response) {
  return ReplyWith(context, Get(*request), response);
}

absl::StatusOr<v1::Version> RegistryService::Get(const v1::GetVersionRequest& request) {
  return executor_.Run([&](Core& core, const Now&) -> absl::StatusOr<v1::Version> {
    AdapterStore& adapters = core.state().adapters;
    ASSIGN_OR_RETURN(const Version version, adapters.Get(request.domain(), request.version()));
    return View(adapters, version, true);
  });
}

grpc::ServerUnaryReactor* RegistryService::SetAlias(grpc::CallbackServerContext* context,
                                                    const v1::SetAliasRequest* request,
                                                    v1::Version* response) {
  return ReplyWith(context, Point(*context, *request), response);
}

absl::StatusOr<v1::Version> RegistryService::Point(const grpc::CallbackServerContext& context,
                                                   const v1::SetAliasRequest& asked) {
  ASSIGN_OR_RETURN(const v1::SetAliasRequest request, authenticator_.Sign(context, asked));
  return executor_.Run([&](Core& core, const Now& now) -> absl::StatusOr<v1::Version> {
    ASSIGN_OR_RETURN(const Version version, core.SetAlias(now, request));
    return View(core.state().adapters, version, true);
  });
}

grpc::ServerUnaryReactor* RegistryService::VerifyVersion(grpc::CallbackServerContext* context,
                                                         const v1::VerifyVersionRequest* request,
                                                         v1::VerifyVersionResponse* response) {
  return ReplyWith(context, Verify(*request), response);
}

absl::StatusOr<v1::VerifyVersionResponse> RegistryService::Verify(
    const v1::VerifyVersionRequest& request) {
  const VersionFiles* files = nullptr;
  std::vector<std::string> of_aliases;
  const absl::StatusOr<Version> version = executor_.Run([&](Core& core,
                                                            const Now&) -> absl::StatusOr<Version> {
    files = &core.state().adapters.files();
    ASSIGN_OR_RETURN(Version found, core.state().adapters.Get(request.domain(), request.version()));
    of_aliases = files->VerifyAliases(found);  // here, where no alias moves meanwhile
    return found;
  });
  RETURN_IF_ERROR(version.status());
  // Reading gigabytes takes its time: nobody waits for it at the executor.
  ASSIGN_OR_RETURN(const std::vector<std::string> problems, files->Verify(*version));
  v1::VerifyVersionResponse response;
  response.set_domain(version->domain);
  response.set_version(VersionName(version->number));
  response.mutable_problems()->Add(problems.begin(), problems.end());
  response.mutable_problems()->Add(of_aliases.begin(), of_aliases.end());
  return response;
}

grpc::ServerWriteReactor<v1::DownloadFileResponse>* RegistryService::DownloadFile(
    grpc::CallbackServerContext* context, const v1::DownloadFileRequest* request) {
  return new FileStream<v1::DownloadFileResponse>(OpenFile(*request), request->offset());
}

absl::StatusOr<FileDescriptor> RegistryService::OpenFile(const v1::DownloadFileRequest& request) {
  return executor_.Run([&](Core& core, const Now&) -> absl::StatusOr<FileDescriptor> {
    AdapterStore& adapters = core.state().adapters;
    ASSIGN_OR_RETURN(const Version version, adapters.Get(request.domain(), request.version()));
    // Only a name that was published is ever opened.
    const bool published =
        std::any_of(version.files.begin(), version.files.end(),
                    [&](const VersionFile& file) { return file.path == request.path(); });
    if (!published) {
      return absl::NotFoundError(
          absl::StrCat(version.domain, " ", VersionName(version.number), " has no such file"));
    }
    const std::string name = VersionName(version.number);
    absl::StatusOr<FileDescriptor> file = adapters.files().OpenFile(version, request.path());
    if (file.ok()) return file;
    return absl::NotFoundError(absl::StrCat(
        version.domain, " ", name, " was published with ", request.path(),
        absl::IsFailedPrecondition(file.status())
            ? ", and something else is in its place on the scheduler's disk; `mozgachctl adapters "
              "verify "
            : ", which is gone from the scheduler's disk; `mozgachctl adapters verify ",
        version.domain, " ", name, "` says what else is, `mozgachctl doctor` what to do"));
  });
}

}  // namespace mozgach
