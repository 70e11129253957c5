#include "scheduler/state/activity_log.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

constexpr size_t kDomainsNamed = 3;
constexpr size_t kLoggedReasonBytes = 400;

bool IsPlainCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-:/@+").find(c) != std::string_view::npos;
}

// A word as it is; anything else in quotes, so that it cannot look like another key.
std::string Quoted(const std::string& text) {
  const std::string cut = Abbreviate(text, kLoggedReasonBytes);
  if (!cut.empty() && std::all_of(cut.begin(), cut.end(), IsPlainCharacter)) return cut;
  std::string quoted = "\"";
  for (const char c : cut) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string Of(int64_t job, const std::string& domain, int64_t attempt) {
  return absl::StrCat(" job=", job, " domain=", Quoted(domain), " attempt=", attempt);
}

}  // namespace

std::string SubmitLine(const v1::SubmitResponse& response, const std::string& actor) {
  std::map<std::string, int> counts;
  std::vector<std::string> domains;
  int64_t first = 0, last = 0;
  for (const auto& outcome : response.outcomes()) {
    ++counts[outcome.outcome()];
    if (domains.size() < kDomainsNamed) domains.push_back(Quoted(outcome.domain()));
    if (outcome.job() == 0) continue;
    first = first == 0 ? outcome.job() : std::min(first, outcome.job());
    last = std::max(last, outcome.job());
  }
  std::string line = absl::StrCat("submitted by=", Quoted(actor));
  for (const auto& [outcome, count] : counts) absl::StrAppend(&line, " ", outcome, "=", count);
  if (first > 0) absl::StrAppend(&line, " jobs=", first);
  if (last > first) absl::StrAppend(&line, "-", last);
  absl::StrAppend(&line, " domains=", absl::StrJoin(domains, ","));
  if (static_cast<size_t>(response.outcomes_size()) > kDomainsNamed) {
    absl::StrAppend(&line, ",… (", response.outcomes_size(), ")");
  }
  return line;
}

std::string ClaimLine(const Lease& lease, const std::string& domain) {
  std::string line = absl::StrCat("claimed", Of(lease.job, domain, lease.attempt),
                                  " worker=", Quoted(lease.worker));
  if (!lease.device.empty()) absl::StrAppend(&line, " device=", Quoted(lease.device));
  return line;
}

std::string PublishLine(const Version& version) {
  return absl::StrCat("published", Of(version.job, version.domain, version.attempt),
                      " version=", VersionName(version.number));
}

std::string EndLine(const Lease& lease, const Job& job, FailureClass failure,
                    const std::string& message) {
  const std::string state = job.state == JobState::kQueued ? "requeued" : Name(job.state);
  const bool lost = failure == FailureClass::kLost && !job.cancel_requested;
  std::string line =
      absl::StrCat(lost ? "lease_lost" : state, Of(lease.job, job.domain, lease.attempt),
                   " worker=", Quoted(lease.worker));
  if (lost) {
    absl::StrAppend(&line, " then=", state);
  } else if (!job.cancel_requested) {
    absl::StrAppend(&line, " class=", Name(failure));
  }
  const std::string& reason = job.cancel_requested ? job.reason : message;
  if (!reason.empty()) absl::StrAppend(&line, " reason=", Quoted(reason));
  return line;
}

}  // namespace mozgach
