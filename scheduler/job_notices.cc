#include "scheduler/job_notices.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/domain_spec.h"
#include "common/json_text.h"
#include "common/notice_list.h"
#include "nlohmann/json.hpp"
#include "scheduler/chat_facts.h"
#include "scheduler/placement.h"

namespace mozgach {
namespace {

// The facts of the base that the scheduler holds, else of the first worker that tells them.
std::optional<v1::ChatFacts> ChatFactsOf(const Ledger& ledger, const std::string& base) {
  const BaseCatalog::Entry* held = ledger.bases.Find(base);
  if (held != nullptr && held->chat.has_value()) return held->chat;
  for (const auto& [name, worker] : ledger.roster.workers()) {
    for (const v1::Base& offered : worker.bases) {
      if (offered.name() == base && offered.has_chat()) return offered.chat();
    }
  }
  return std::nullopt;
}

bool UsesTemplateOfBase(const std::string& spec_json) {
  const absl::StatusOr<nlohmann::json> spec = ParseJson(spec_json);
  if (!spec.ok()) return false;
  const absl::StatusOr<DomainSpec> read = DomainSpecFromJson(*spec);
  return read.ok() && read->data.chat_template == "auto";
}

// The notices about the rows, then those about the base. `conversations`: the base's chat template
// decides what is trained.
std::vector<std::string> JoinNotices(const Ledger& ledger, const std::string& base_key,
                                     const std::string& spec_json, const std::string& notices_json,
                                     bool conversations) {
  NoticeList notices;
  const absl::StatusOr<nlohmann::json> stored = ParseJson(notices_json);
  if (stored.ok() && stored->is_array()) {
    for (const nlohmann::json& notice : *stored) {
      if (notice.is_string()) notices.Add(notice.get_ref<const std::string&>());
    }
  }
  if (conversations && UsesTemplateOfBase(spec_json)) {
    const std::string base = base_key.substr(0, base_key.find('@'));
    if (const auto facts = ChatFactsOf(ledger, base)) notices.AddAll(ChatSentences(base, *facts));
  }
  return notices.sentences();
}

}  // namespace

absl::Status CheckNotices(const v1::Submission& submission) {
  if (static_cast<size_t>(submission.notices_size()) > NoticeList::kMaxNotices) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", NoticeList::kMaxNotices, " notices"));
  }
  for (const std::string& notice : submission.notices()) {
    if (notice.size() > NoticeList::kMaxBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("a notice longer than ", NoticeList::kMaxBytes, " bytes"));
    }
  }
  return absl::OkStatus();
}

std::string NoticesJson(const v1::Submission& submission) {
  nlohmann::json notices = nlohmann::json::array();
  for (const std::string& notice : submission.notices()) notices.push_back(notice);
  return notices.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> NoticesOf(const Ledger& ledger, const NewJob& job) {
  return JoinNotices(ledger, BaseKey(job.base, job.revision), job.spec_json, job.notices_json, job.conversations);
}

absl::StatusOr<std::vector<std::string>> NoticesOf(Ledger& ledger, const Job& job) {
  ASSIGN_OR_RETURN(const Queue::Details details, ledger.queue.GetDetails(job.job));
  return JoinNotices(ledger, job.base_key, details.spec_json, details.notices_json, details.conversations);
}

}  // namespace mozgach
