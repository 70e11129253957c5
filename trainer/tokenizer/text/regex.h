// A Regex finds the matches of one pattern as Oniguruma does. It uses PCRE2 with UTF | UCP, and its
// JIT if available. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

struct pcre2_real_code_8;

namespace mozgach {

// The part [begin, end) of a text, in bytes.
struct Span {
  size_t begin;
  size_t end;
};

class Regex {
 public:
  // INVALID_ARGUMENT says which part of the pattern is wrong or not supported, and where.
  static absl::StatusOr<Regex> Compile(std::string_view pattern);

  // Finds the matches in each of `parts` of `text`. Each part is searched as a separate text;
  // found(part, matches) is called once per part, in order. Matches are ordered from left to right
  // and do not overlap. An empty match does not follow directly after another match.
  // RESOURCE_EXHAUSTED if the pattern needs too many steps or too much stack for this text.
  // REQUIRES: `text` is UTF-8.
  template <typename Callback>
  absl::Status FindInParts(std::string_view text, const std::vector<Span>& parts,
                           Callback found) const {
    const Search search(*this, text);
    std::vector<Span> matches;
    for (const Span& part : parts) {
      matches.clear();
      RETURN_IF_ERROR(search.Run(part, &matches));
      found(part, matches);
    }
    return absl::OkStatus();
  }

 private:
  struct FreeCode {
    void operator()(pcre2_real_code_8* code) const;
  };

  // Working memory to search one text in one thread.
  class Search {
   public:
    Search(const Regex& regex, std::string_view text);
    ~Search();
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;
    absl::Status Run(Span part, std::vector<Span>* matches) const;

   private:
    struct State;
    int MatchAt(Span part, size_t at) const;

    const Regex& regex_;
    std::string storage_;
    std::string_view text_;
    std::unique_ptr<State> state_;
  };

  std::string pattern_;
  std::unique_ptr<pcre2_real_code_8, FreeCode> code_;
};

}  // namespace mozgach
