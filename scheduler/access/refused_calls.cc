#include "scheduler/access/refused_calls.h"

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/mutex.h"

namespace mozgach {
namespace {

const char* ReasonOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnauthenticated:
      return "unauthenticated";
    case absl::StatusCode::kPermissionDenied:
      return "permission";
    case absl::StatusCode::kResourceExhausted:
      return "rate";
    case absl::StatusCode::kUnimplemented:
      return "method";
    default:
      return "other";
  }
}

}  // namespace

void RefusedCalls::Count(const absl::Status& refusal, const std::string& role,
                         const std::string& caller, Milliseconds now) {
  if (refusal.ok()) return;
  Count(ReasonOf(refusal.code()), role, absl::StrCat(caller, ": ", refusal.message()), now);
}

void RefusedCalls::CountHost(const std::string& host, Milliseconds now) {
  Count("host", "none", absl::StrCat("a web page of the host '", host, "'"), now);
}

void RefusedCalls::Count(const std::string& reason, const std::string& role,
                         const std::string& line, Milliseconds now) {
  int64_t silent = 0;
  {
    const MutexLock lock(mutex_);
    ++counts_[{reason, role}];
    const auto [it, first] = reasons_.try_emplace(reason);
    if (!first && now < it->second.next_line) {
      ++it->second.silent;
      return;
    }
    silent = std::exchange(it->second.silent, 0);
    it->second.next_line = now + kLogInterval;
    ++lines_;
  }
  const std::string more =
      silent == 0 ? "" : absl::StrCat(" (", silent, " more were refused since the last line)");
  spdlog::warn("refused a call, {}: {}{}", reason, line, more);
}

std::map<RefusedCalls::Key, int64_t> RefusedCalls::counts() const {
  const MutexLock lock(mutex_);
  return counts_;
}

int64_t RefusedCalls::lines() const {
  const MutexLock lock(mutex_);
  return lines_;
}

}  // namespace mozgach
