// Any text cut by the patterns of published tokenizers: the matches lie in it, in order, on the
// borders of characters.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "trainer/tokenizer/text/regex.h"
#include "trainer/tokenizer/text/utf8.h"

namespace {

using mozgach::Regex;
using mozgach::Span;

const std::vector<Regex>& Patterns() {
  static const auto* const patterns = [] {
    auto* made = new std::vector<Regex>;
    for (const char* pattern :
         {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
          R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
          R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
          R"(\w+|[^\w\s]+)", R"(\p{Han}+|[\s\S])"}) {
      auto compiled = Regex::Compile(pattern);
      if (!compiled.ok()) abort();
      made->push_back(*std::move(compiled));
    }
    return made;
  }();
  return *patterns;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text =
      mozgach::ReplaceInvalidUtf8(std::string_view(reinterpret_cast<const char*>(data), size));
  const auto on_border = [&](size_t at) {
    return at == text.size() || !mozgach::IsUtf8Continuation(text[at]);
  };
  for (const Regex& pattern : Patterns()) {
    const absl::Status status = pattern.FindInParts(
        text, {{0, text.size()}}, [&](const Span&, const std::vector<Span>& matches) {
          size_t last = 0;
          for (const Span& match : matches) {
            if (match.begin < last || match.end < match.begin || match.end > text.size()) abort();
            if (!on_border(match.begin) || !on_border(match.end)) abort();
            last = match.end;
          }
        });
    if (!status.ok()) abort();
  }
  return 0;
}
