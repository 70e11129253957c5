// A Regex finds the matches of one pattern, as Oniguruma would (PCRE2, UTF | UCP, JIT where there
// is one).  Immutable; safe from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

struct pcre2_real_code_8;

namespace mozgach {

// A stretch [begin, end) of a text, in bytes.
struct Span {
  size_t begin;
  size_t end;
};

class Regex {
 public:
  // INVALID_ARGUMENT says what of the pattern is wrong or not supported, and where.
  static absl::StatusOr<Regex> Compile(std::string_view pattern);

  // Finds the matches in each of `parts` of `text`, each a text of its own: calls
  // found(part, matches) once per part, in order.  Matches go from left to right and do not
  // overlap; an empty one stands only where no other ended.  RESOURCE_EXHAUSTED when the pattern
  // needs too many steps or too deep a stack on this text.  REQUIRES: `text` is UTF-8.
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

  // What one thread needs to match in one text.
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
