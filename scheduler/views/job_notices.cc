#include "scheduler/views/job_notices.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/domain/domain_spec.h"
#include "common/json_text.h"
#include "common/notice_list.h"
#include "nlohmann/json.hpp"
#include "scheduler/state/chat_facts.h"

namespace mozgach {
namespace {

// The facts of the base that the scheduler holds, else of the first worker that tells them.
std::optional<v1::ChatFacts> ChatFactsOf(const SchedulerState& state, const std::string& base) {
  const BaseCatalog::Entry* held = state.bases.Find(base);
  if (held != nullptr && held->chat.has_value()) return held->chat;
  for (const auto& [name, worker] : state.worker_table.workers()) {
    for (const v1::Base& offered : worker.bases) {
      if (offered.name() == base && offered.has_chat()) return offered.chat();
    }
  }
  return std::nullopt;
}

std::vector<std::string> JoinNotices(const std::string& notices_json,
                                     const std::vector<std::string>& about_base) {
  NoticeList notices;
  const absl::StatusOr<nlohmann::json> stored = ParseJson(notices_json);
  if (stored.ok() && stored->is_array()) {
    for (const nlohmann::json& notice : *stored) {
      if (notice.is_string()) notices.Add(notice.get_ref<const std::string&>());
    }
  }
  notices.AddAll(about_base);
  return notices.sentences();
}

// The base's chat template decides what is trained.
bool AsksTemplate(bool conversations, const DomainSpec& spec) {
  return conversations && spec.data.chat_template == "auto";
}

}  // namespace

const std::vector<std::string>& BaseNotices::Of(const std::string& base) {
  const auto [known, is_new] = sentences_.try_emplace(base);
  if (is_new) {
    if (const auto facts = ChatFactsOf(state_, base)) known->second = ChatSentences(base, *facts);
  }
  return known->second;
}

std::vector<std::string> NoticesOf(BaseNotices& bases, const CheckedSubmission& checked) {
  const bool asks = AsksTemplate(checked.job.conversations, checked.spec);
  return JoinNotices(checked.job.notices_json,
                     asks ? bases.Of(checked.job.base) : std::vector<std::string>());
}

absl::StatusOr<std::vector<std::string>> NoticesOf(SchedulerState& state, const Job& job) {
  ASSIGN_OR_RETURN(const Queue::Details details, state.queue.GetDetails(job.job));
  const absl::StatusOr<nlohmann::json> json = ParseJson(details.spec_json);
  const absl::StatusOr<DomainSpec> spec =
      json.ok() ? DomainSpecFromJson(*json) : absl::StatusOr<DomainSpec>(json.status());
  const bool asks = spec.ok() && AsksTemplate(details.conversations, *spec);
  BaseNotices bases(state);
  return JoinNotices(details.notices_json, asks ? bases.Of(job.base) : std::vector<std::string>());
}

}  // namespace mozgach
