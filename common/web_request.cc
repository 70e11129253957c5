#include "common/web_request.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace mozgach {
namespace {

constexpr absl::string_view kHttp = "http://";

// Host and path of "/metrics?x=1" or "http://host:port/metrics".
bool ReadTarget(absl::string_view target, WebRequest* request) {
  if (absl::StartsWithIgnoreCase(target, kHttp)) {
    target.remove_prefix(kHttp.size());
    const size_t slash = target.find('/');
    request->host = std::string(target.substr(0, slash));
    request->has_host = true;
    target = slash == target.npos ? absl::string_view("/") : target.substr(slash);
  }
  request->path = std::string(target.substr(0, target.find_first_of("?#")));
  return !request->path.empty() && request->path[0] == '/';
}

}  // namespace

size_t EndOfHead(std::string_view text) {
  const size_t strict = text.find("\r\n\r\n");
  const size_t bare = text.find("\n\n");
  if (strict == text.npos && bare == text.npos) return text.npos;
  return strict < bare ? strict + 4 : bare + 2;
}

int ReadHead(std::string_view head, WebRequest* request) {
  const std::vector<absl::string_view> lines =
      absl::StrSplit(absl::string_view(head.data(), head.size()), '\n');
  const std::vector<absl::string_view> words =
      absl::StrSplit(absl::StripAsciiWhitespace(lines[0]), ' ');
  if (words.size() != 3 || words[0].empty() || !absl::StartsWith(words[2], "HTTP/")) return 400;
  if (words[2] != "HTTP/1.0" && words[2] != "HTTP/1.1") return 505;
  request->method = std::string(words[0]);
  if (!ReadTarget(words[1], request)) return 400;
  int hosts = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    if (colon == lines[i].npos || !absl::EqualsIgnoreCase(lines[i].substr(0, colon), "host")) continue;
    ++hosts;
    if (request->has_host && hosts == 1) continue;  // the target's counts
    request->host = std::string(absl::StripAsciiWhitespace(lines[i].substr(colon + 1)));
    request->has_host = true;
  }
  const bool optional = words[2] == "HTTP/1.0";
  return hosts == 1 || (optional && hosts == 0) ? 200 : 400;
}

}  // namespace mozgach
