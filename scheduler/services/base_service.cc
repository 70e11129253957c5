#include "scheduler/services/base_service.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "proto/base_manifest.h"
#include "scheduler/access/unary_reply.h"

namespace mozgach {
grpc::ServerUnaryReactor* BaseService::AddBase(grpc::CallbackServerContext* context,
                                               const v1::AddBaseRequest* request,
                                               v1::AddBaseResponse* response) {
  return ReplyWith(context, Add(*context, *request), response);
}

absl::StatusOr<v1::AddBaseResponse> BaseService::Add(const grpc::CallbackServerContext& context,
                                                     const v1::AddBaseRequest& asked) {
  ASSIGN_OR_RETURN(const v1::AddBaseRequest request, authenticator_.Sign(context, asked));
  RETURN_IF_ERROR(CheckManifest(request.base()));
  // Reading gigabytes takes its time: nobody waits for it at the executor.
  for (const v1::File& file : request.base().files()) {
    if (!request.check_blobs() || !blobs_.Has(file.sha256())) continue;
    ASSIGN_OR_RETURN(const std::string problem, ProblemOf(file));
    if (!problem.empty()) RETURN_IF_ERROR(blobs_.Remove(file.sha256()));
  }
  return executor_.Run([&](Core& core, const Now& now) { return core.AddBase(now, request); });
}

grpc::ServerUnaryReactor* BaseService::ListBases(grpc::CallbackServerContext* context,
                                                 const v1::ListBasesRequest* request,
                                                 v1::ListBasesResponse* response) {
  return ReplyWith(context, executor_.Run([&](Core& core, const Now& now) {
    return absl::StatusOr<v1::ListBasesResponse>(core.ListBases(now));
  }),
                   response);
}

grpc::ServerUnaryReactor* BaseService::VerifyBase(grpc::CallbackServerContext* context,
                                                  const v1::VerifyBaseRequest* request,
                                                  v1::VerifyBaseResponse* response) {
  return ReplyWith(context, Verify(request->base()), response);
}

absl::StatusOr<v1::VerifyBaseResponse> BaseService::Verify(const std::string& base) {
  using Found = absl::StatusOr<v1::BaseManifest>;
  ASSIGN_OR_RETURN(
      const v1::BaseManifest manifest, executor_.Run([&](Core& core, const Now&) -> Found {
        const BaseCatalog::Entry* entry = core.state().bases.Find(base);
        if (entry != nullptr) return entry->manifest;
        return absl::NotFoundError(absl::StrCat("the scheduler holds no base '", base,
                                                "'; `mozgachctl bases ls` shows those it holds"));
      }));
  v1::VerifyBaseResponse response;
  response.set_base(manifest.base());
  response.set_digest(manifest.digest());
  response.set_files(manifest.files_size());
  for (const v1::File& file : manifest.files()) {
    ASSIGN_OR_RETURN(const std::string problem, ProblemOf(file));
    if (!problem.empty()) response.add_problems(absl::StrCat(file.path(), ": ", problem));
  }
  return response;
}

absl::StatusOr<std::string> BaseService::ProblemOf(const v1::File& file) const {
  ASSIGN_OR_RETURN(const BlobStore::Stat stat, blobs_.Find(file.sha256()));
  ASSIGN_OR_RETURN(const std::filesystem::path path, blobs_.Path(file.sha256()));
  if (!stat.complete) return absl::StrCat("is missing (", path.string(), ")");
  if (stat.bytes != file.size()) {
    return absl::StrCat("has ", stat.bytes, " bytes, not ", file.size(), " (", path.string(), ")");
  }
  const absl::StatusOr<std::string> found = Sha256OfFile(path);
  if (!found.ok()) return std::string(found.status().message());
  if (*found == file.sha256()) return std::string();
  return absl::StrCat("its bytes are damaged: their SHA-256 is ", *found, " (", path.string(), ")");
}

}  // namespace mozgach
