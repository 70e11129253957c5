#include "scheduler/jobs/submission_notices.h"

#include "absl/strings/str_cat.h"
#include "common/notice_list.h"
#include "nlohmann/json.hpp"

namespace mozgach {

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

}  // namespace mozgach
