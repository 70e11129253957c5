#include "scheduler/core/base_addition.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/size_text.h"
#include "failpoint/failpoint.h"
#include "proto/base_manifest.h"
#include "scheduler/core/job_planning.h"
#include "scheduler/placement/base_dispatch.h"
#include "scheduler/state/chat_facts.h"

namespace mozgach {
namespace {

// Blobs of `manifest` that are not here, each once.
absl::StatusOr<std::set<std::string>> MissingBlobs(const SchedulerState& state,
                                                   const v1::BaseManifest& manifest) {
  std::set<std::string> missing;
  for (const v1::File& file : manifest.files()) {
    ASSIGN_OR_RETURN(const BlobStore::Stat stat, state.blobs.Find(file.sha256()));
    if (!stat.complete) {
      missing.insert(file.sha256());
    } else if (stat.bytes != file.size()) {
      return absl::InvalidArgumentError(absl::StrCat(file.path(), " is said to have ", file.size(),
                                                     " bytes; the file of this digest has ",
                                                     stat.bytes));
    }
  }
  return missing;
}

// The same files may become known by further revisions.
bool AddRevisions(const v1::BaseManifest& known, v1::BaseManifest& manifest) {
  std::set<std::string> all(manifest.revisions().begin(), manifest.revisions().end());
  all.insert(known.revisions().begin(), known.revisions().end());
  manifest.mutable_revisions()->Assign(all.begin(), all.end());
  return static_cast<int>(all.size()) > known.revisions_size();
}

absl::Status Write(SchedulerState& state, const Now& now, const v1::BaseManifest& manifest,
                   const std::optional<v1::ChatFacts>& chat, const std::string& outcome,
                   const std::string& actor) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(state.bases.Save(now.wall, manifest, chat));
  RETURN_IF_ERROR(state.events.Append(
      {.time = now.wall,
       .kind = "base_added",
       .actor = actor,
       .message =
           absl::StrCat(manifest.base(), ", ", FormatSize(manifest.size_bytes()), ", ", outcome)}));
  RETURN_IF_ERROR(COMMIT("scheduler.base.add", transaction));
  state.bases.Add(now.wall, manifest, chat);
  state.configs.AddHeld(manifest, state.blobs);
  if (const auto planned = PlanSomeShapes(state); !planned.ok())
    state.RecordWriteError(planned.status());
  for (const std::string& key : state.bases.Find(manifest.base())->keys) {
    state.wakeups.base_keys.insert(key);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::AddBaseResponse> AddBase(SchedulerState& state, const Now& now,
                                            const v1::AddBaseRequest& request) {
  v1::BaseManifest manifest = request.base();
  RETURN_IF_ERROR(CheckManifest(manifest));
  RETURN_IF_ERROR(CheckChatFacts(request.chat()));
  const BaseCatalog::Entry* known = state.bases.Find(manifest.base());
  const bool same = known != nullptr && known->manifest.digest() == manifest.digest();
  if (known != nullptr && !same && !request.replace()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "the fleet has another base called ", manifest.base(), " (",
        FormatSize(known->manifest.size_bytes()), ", digest ",
        known->manifest.digest().substr(0, 12),
        "); --replace puts this one in its place, --name gives this one another name"));
  }
  v1::AddBaseResponse response;
  ASSIGN_OR_RETURN(const std::set<std::string> missing, MissingBlobs(state, manifest));
  response.mutable_missing_blobs()->Add(missing.begin(), missing.end());
  if (!missing.empty()) return response;
  response.set_outcome(known == nullptr ? "new" : same ? "unchanged" : "replaced");
  std::optional<v1::ChatFacts> chat = same ? known->chat : std::nullopt;
  const bool new_facts =
      request.has_chat() && !(chat.has_value() && SameChatFacts(*chat, request.chat()));
  if (request.has_chat()) chat = request.chat();
  const bool new_revisions = same && AddRevisions(known->manifest, manifest);
  if (same && !new_revisions && !new_facts) return response;
  RETURN_IF_ERROR(Write(state, now, manifest, chat, response.outcome(), request.actor()));
  return response;
}

}  // namespace mozgach
