#include "trainer/tokenizer/text/oniguruma_pattern.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

// White_Space and what it is not: PCRE2 10.42 still counts U+180E.
constexpr std::string_view kSpace =
    R"(\t-\r\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
constexpr std::string_view kNoSpace =
    R"(\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF})"
    R"(\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF})";
constexpr std::string_view kWord =
    R"(\p{L}\p{M}\p{N}\p{Pc}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169})"
    R"(\x{1F170}-\x{1F189})";
constexpr std::string_view kHexDigit = "0-9a-fA-F";
// Escapes that the two do not share, or read differently (\b goes by \w).
constexpr std::string_view kNoCounterpart = "bBRXKGyYONgkMCcQE";

class Rewrite {
 public:
  explicit Rewrite(std::string_view pattern) : in_(pattern) {}

  absl::StatusOr<std::string> Run() {
    while (at_ < in_.size()) {
      RETURN_IF_ERROR(in_[at_] == '\\' ? Escape() : in_class_ ? InClass() : Outside());
    }
    return std::move(out_);
  }

 private:
  absl::Status Unsupported(std::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("the pattern ", std::string(in_), " uses ",
                                                   std::string(what), " at byte ", at_,
                                                   ", which is not supported here"));
  }

  absl::Status Keep(size_t bytes) {
    out_ += in_.substr(at_, bytes);
    at_ += bytes;
    return absl::OkStatus();
  }

  // A set for an escape of two bytes, with its own brackets outside of a class.
  absl::Status Set(std::string_view members, bool negated = false) {
    if (in_class_ && negated) return Unsupported("a negated " + std::string(in_.substr(at_, 2)));
    if (!in_class_) out_ += negated ? "[^" : "[";
    out_ += members;
    if (!in_class_) out_ += "]";
    at_ += 2;
    return absl::OkStatus();
  }

  absl::Status Escape() {
    if (at_ + 1 == in_.size()) return Unsupported("a lone backslash");
    const char letter = in_[at_ + 1];
    if (kNoCounterpart.find(letter) != std::string_view::npos) {
      return Unsupported(in_.substr(at_, 2));
    }
    switch (letter) {
      case 's':
        return Set(kSpace);
      case 'S':
        return Set(kNoSpace);
      case 'w':
        return Set(kWord);
      case 'W':
        return Set(kWord, /*negated=*/true);
      case 'h':
        return Set(kHexDigit);
      case 'H':
        return Set(kHexDigit, /*negated=*/true);
      case 'p':
      case 'P':
        return Property();
      default:
        return Keep(2);
    }
  }

  // General categories are the same for both; a bare script name would take in Script_Extensions.
  absl::Status Property() {
    const size_t end = in_.find('}', at_);
    if (at_ + 2 >= in_.size() || in_[at_ + 2] != '{' || end == std::string_view::npos) {
      return Unsupported("a property without {name}");
    }
    std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    const bool negated = !name.empty() && name[0] == '^';
    if (negated) name.remove_prefix(1);
    const bool category = name.size() <= 2 || name == "Any" || name == "any";
    out_ += in_.substr(at_, 3);
    if (negated) out_ += '^';
    if (!category) out_ += "sc:";
    out_ += name;
    out_ += '}';
    at_ = end + 1;
    return absl::OkStatus();
  }

  absl::Status InClass() {
    if (in_.substr(at_).starts_with("&&")) return Unsupported("an intersection &&");
    if (in_[at_] == '[') return Unsupported("a class inside a class");
    if (in_[at_] == ']' && at_ != class_begin_) in_class_ = false;
    return Keep(1);
  }

  absl::Status Outside() {
    if (in_.substr(at_).starts_with("}+") && Counted()) {
      return Unsupported("{n,m}+, which repeats in Oniguruma and is possessive in PCRE2");
    }
    if (in_.substr(at_).starts_with("(?")) return Group();
    if (in_[at_] != '[') return Keep(1);
    in_class_ = true;
    RETURN_IF_ERROR(Keep(in_.substr(at_).starts_with("[^") ? 2 : 1));
    class_begin_ = at_;
    return absl::OkStatus();
  }

  // Whether the brace that closes here opened as {n}, {n,} or {n,m}.
  bool Counted() const {
    const size_t open = in_.rfind('{', at_);
    if (open == std::string_view::npos) return false;
    const std::string_view count = in_.substr(open + 1, at_ - open - 1);
    return count.find_first_not_of("0123456789,") == std::string_view::npos && !count.empty();
  }

  // Lookaround, atomic and plain groups mean the same; of the options only i does.
  absl::Status Group() {
    const std::string_view rest = in_.substr(at_ + 2);
    for (std::string_view same : {":", "=", "!", ">", "<=", "<!", "i)", "i:", "-i)", "-i:"}) {
      if (rest.starts_with(same)) return Keep(2 + same.size());
    }
    return Unsupported("the group (?" + std::string(rest.substr(0, 2)));
  }

  std::string_view in_;
  std::string out_;
  size_t at_ = 0;
  bool in_class_ = false;
  size_t class_begin_ = 0;  // where the members of the open class begin
};

}  // namespace

absl::StatusOr<std::string> PcreFromOniguruma(std::string_view pattern) {
  return Rewrite(pattern).Run();
}

}  // namespace mozgach
