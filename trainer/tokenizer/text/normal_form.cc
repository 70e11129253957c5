#include "trainer/tokenizer/text/normal_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

enum class Kind : uint8_t {
  kInert,    // stays, and is not affected by characters before it: normalisation may restart here
  kJoins,    // may be reordered or composed with characters before it
  kChanges,  // never occurs in this form
};

// Everything from here on (planes 3 and up) is inert.
constexpr char32_t kFirstAlwaysInert = 0x30000;
constexpr char32_t kFirstNotAscii = 0x80;

bool Composes(NormalForm form) { return form == NormalForm::kC || form == NormalForm::kKC; }

bool IsCompatibility(NormalForm form) { return form == NormalForm::kKC || form == NormalForm::kKD; }

struct Range {
  char32_t first;
  char32_t last;
};

// Combining characters added in Unicode 10 to 15. Hugging Face's tokenizers normalises with the
// tables of Unicode 9, in which they are inert; models were trained with that.
constexpr Range kTooNew[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},
    {0xC3C, 0xC3C},     {0xD3B, 0xD3C},     {0xEBA, 0xEBA},     {0x1715, 0x1715},
    {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},   {0xA82C, 0xA82C},   {0x10D24, 0x10D27},
    {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85},
    {0x11070, 0x11070}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x11839, 0x1183A},
    {0x11930, 0x11930}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0},
    {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42},
    {0x11D44, 0x11D45}, {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1},
    {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF},
    {0x1E4EC, 0x1E4EF},
};

// Characters added since then that decompose. In form C this has no effect: the parts of U+11938
// compose to U+11938.
constexpr Range kDecomposesTooNew[] = {
    {0x32FF, 0x32FF},   {0xA7F2, 0xA7F4},   {0xAB69, 0xAB69},   {0x10781, 0x10785},
    {0x10787, 0x107B0}, {0x107B2, 0x107BA}, {0x11938, 0x11938}, {0x1E030, 0x1E06D},
    {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9},
};

using Characters = std::vector<utf8proc_int32_t>;

template <size_t kRanges>
bool IsIn(const Range (&ranges)[kRanges], char32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

void AppendDecomposed(char32_t character, bool compatibility, Characters* out) {
  const int options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0);
  std::array<utf8proc_int32_t, 32> buffer;
  int boundary_class = 0;
  const utf8proc_ssize_t count = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(character), buffer.data(), buffer.size(),
      static_cast<utf8proc_option_t>(options), &boundary_class);
  out->insert(out->end(), buffer.begin(), buffer.begin() + std::max<utf8proc_ssize_t>(count, 0));
}

int CombiningClass(utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; }

// Replaces utf8proc's bubble sort, which is quadratic in the length of a run of marks.
void SortMarks(Characters* characters) {
  const auto is_mark = [](utf8proc_int32_t c) {
    return CombiningClass(c) != 0 && !IsIn(kTooNew, c);
  };
  for (auto run = characters->begin(); run != characters->end();) {
    run = std::find_if(run, characters->end(), is_mark);
    const auto end = std::find_if_not(run, characters->end(), is_mark);
    std::stable_sort(run, end, [](utf8proc_int32_t a, utf8proc_int32_t b) {
      return CombiningClass(a) < CombiningClass(b);
    });
    run = end;
  }
}

void Compose(Characters* characters) {
  const utf8proc_ssize_t count = utf8proc_normalize_utf32(
      characters->data(), static_cast<utf8proc_ssize_t>(characters->size()),
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  characters->resize(std::max<utf8proc_ssize_t>(count, 0));
}

std::string InForm(NormalForm form, std::string_view text) {
  Characters characters;
  for (size_t at = 0; at < text.size(); at += Utf8Length(text[at])) {
    const char32_t character = DecodeUtf8(text, at);
    if (IsIn(kDecomposesTooNew, character)) {
      characters.push_back(static_cast<utf8proc_int32_t>(character));
    } else {
      AppendDecomposed(character, IsCompatibility(form), &characters);
    }
  }
  SortMarks(&characters);
  if (Composes(form)) Compose(&characters);
  std::string out;
  for (const utf8proc_int32_t character : characters) {
    AppendUtf8(static_cast<char32_t>(character), &out);
  }
  return out;
}

// Replaces the part of `before` (at offset `begin`) that differs from `after`. Marks outside the
// difference stay.
void ReplaceDifference(size_t begin, std::string_view before, std::string_view after,
                       Rewriter* rewriter) {
  const auto head = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
  const size_t prefix = head.first - before.begin();
  before.remove_prefix(prefix);
  after.remove_prefix(prefix);
  const auto tail = std::mismatch(before.rbegin(), before.rend(), after.rbegin(), after.rend());
  const size_t suffix = tail.first - before.rbegin();
  rewriter->Replace(begin + prefix, begin + prefix + before.size() - suffix,
                    after.substr(0, after.size() - suffix));
}

// The kinds of all characters in one form.
class KindTable {
 public:
  explicit KindTable(NormalForm form) : form_(form), kinds_(kFirstAlwaysInert, Kind::kInert) {
    for (char32_t c = kFirstNotAscii; c < kFirstAlwaysInert; ++c) {
      if (c == 0xD800) c = 0xE000;  // surrogates are not characters
      const utf8proc_property_t* property = utf8proc_get_property(static_cast<int32_t>(c));
      if (property->combining_class != 0) kinds_[c] = Kind::kJoins;
      const bool compatibility = property->decomp_type != 0;
      if (property->decomp_seqindex != UINT16_MAX && (!compatibility || IsCompatibility(form))) {
        AddDecomposable(c, compatibility);
      }
    }
    AddHangul();
    for (const Range& range : kTooNew) {
      for (char32_t c = range.first; c <= range.last; ++c) kinds_[c] = Kind::kInert;
    }
  }

  Kind Of(char32_t c) const { return c < kFirstAlwaysInert ? kinds_[c] : Kind::kInert; }

 private:
  // If the form keeps `c`, the parts that it decomposes to, except the first, can be second in a
  // pair.
  void AddDecomposable(char32_t c, bool compatibility) {
    std::string text;
    AppendUtf8(c, &text);
    if (InForm(form_, text) != text) {
      kinds_[c] = Kind::kChanges;
      return;
    }
    if (compatibility || !Composes(form_)) return;
    Characters parts;
    AppendDecomposed(c, /*compatibility=*/false, &parts);
    for (size_t i = 1; i < parts.size(); ++i) {
      if (kinds_[parts[i]] == Kind::kInert) kinds_[parts[i]] = Kind::kJoins;
    }
  }

  // Vowels and final consonants join. U+11A7, between the two ranges, is neither; utf8proc 2.8 gets
  // it wrong.
  void AddHangul() {
    const auto set = [this](char32_t first, char32_t last, Kind kind) {
      for (char32_t c = first; c <= last; ++c) kinds_[c] = kind;
    };
    if (!Composes(form_)) return set(0xAC00, 0xD7A3, Kind::kChanges);
    set(0x1161, 0x1175, Kind::kJoins);
    set(0x11A8, 0x11C2, Kind::kJoins);
  }

  const NormalForm form_;
  std::vector<Kind> kinds_;
};

const KindTable& KindsIn(NormalForm form) {
  static const KindTable* const c = new KindTable(NormalForm::kC);
  if (form == NormalForm::kC) return *c;
  static const KindTable* const d = new KindTable(NormalForm::kD);
  if (form == NormalForm::kD) return *d;
  static const KindTable* const kc = new KindTable(NormalForm::kKC);
  if (form == NormalForm::kKC) return *kc;
  static const KindTable* const kd = new KindTable(NormalForm::kKD);
  return *kd;
}

}  // namespace

void Normalize(NormalForm form, TrackedText* tracked) {
  const KindTable& kinds = KindsIn(form);
  const std::string_view text = tracked->text;
  std::unique_ptr<Rewriter> rewriter;
  size_t inert = 0;  // offset of the last inert character before `at`
  for (size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      inert = at++;
      continue;
    }
    if (kinds.Of(DecodeUtf8(text, at)) == Kind::kInert) {
      inert = at;
      at += Utf8Length(text[at]);
      continue;
    }
    const size_t begin = inert;
    do {
      at += Utf8Length(text[at]);
    } while (at < text.size() && kinds.Of(DecodeUtf8(text, at)) != Kind::kInert);
    inert = at;
    const std::string_view before = text.substr(begin, at - begin);
    const std::string normal = InForm(form, before);
    if (normal == before) continue;
    if (rewriter == nullptr) rewriter = std::make_unique<Rewriter>(tracked);
    ReplaceDifference(begin, before, normal, rewriter.get());
  }
  if (rewriter != nullptr) rewriter->Finish();
}

}  // namespace mozgach
