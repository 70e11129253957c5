#include "ctl/client/selection.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/domain/domain_spec.h"
#include "common/domain/spec_value.h"

namespace mozgach {

absl::StatusOr<JobName> ParseJobName(const std::string& word) {
  JobName name;
  const bool digits = !word.empty() && std::all_of(word.begin(), word.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (digits && absl::SimpleAtoi(word, &name.job) && name.job > 0) return name;
  if (digits || !IsDomainName(word)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(word), " is neither a job's number nor a domain's name"));
  }
  name.job = 0;
  name.domain = word;
  return name;
}

absl::StatusOr<v1::Selector> ParseSelector(const std::vector<std::string>& words) {
  v1::Selector selector;
  for (const std::string& word : words) {
    ASSIGN_OR_RETURN(const JobName name, ParseJobName(word));
    if (name.job > 0) {
      selector.add_jobs(name.job);
    } else {
      selector.add_domains(name.domain);
    }
  }
  return selector;
}

absl::StatusOr<VersionName> ParseVersion(const std::string& word) {
  const size_t at = word.find('@');
  VersionName name{word.substr(0, at), at == std::string::npos ? "" : word.substr(at + 1)};
  if (!IsDomainName(name.domain) || (at != std::string::npos && name.version.empty())) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(word), " names no adapter; write DOMAIN, DOMAIN@v0001 or DOMAIN@ALIAS"));
  }
  return name;
}

std::string Actor() {
  char host[256] = "";
  if (::gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  const passwd* user = ::getpwuid(::getuid());
  return absl::StrCat(user == nullptr ? absl::StrCat(::getuid()) : user->pw_name, "@", host);
}

}  // namespace mozgach
