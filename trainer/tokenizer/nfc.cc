#include "trainer/tokenizer/nfc.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/tokenizer/utf8.h"

namespace mozgach {
namespace {

enum class Kind : uint8_t {
  kInert,    // stays, and nothing before it acts on it: normalisation may begin anew here
  kJoins,    // may be reordered or composed with what stands before it
  kChanges,  // is never itself in NFC
};

// Everything from here on (planes 3 and up) is inert.
constexpr char32_t kFirstAlwaysInert = 0x30000;
// Everything below it (ASCII, Latin-1, Latin Extended) is inert.
constexpr char32_t kFirstNotInert = 0x300;

struct Range {
  char32_t first;
  char32_t last;
};

// What combines since Unicode 10 to 15 only.  Hugging Face's tokenizers normalises by the tables of
// Unicode 9, to which these are characters that nothing acts on; models have learnt it so.
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

using Characters = std::vector<utf8proc_int32_t>;

bool IsTooNew(char32_t c) {
  return std::any_of(std::begin(kTooNew), std::end(kTooNew),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

void AppendDecomposed(char32_t character, Characters* out) {
  std::array<utf8proc_int32_t, 32> buffer;
  int boundary_class = 0;
  const utf8proc_ssize_t count = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(character), buffer.data(), buffer.size(),
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &boundary_class);
  out->insert(out->end(), buffer.begin(), buffer.begin() + std::max<utf8proc_ssize_t>(count, 0));
}

int CombiningClass(utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; }

// utf8proc sorts by exchanging neighbours, quadratic in the length of a run of marks.
void SortMarks(Characters* characters) {
  const auto is_mark = [](utf8proc_int32_t c) { return CombiningClass(c) != 0 && !IsTooNew(c); };
  for (auto run = characters->begin(); run != characters->end();) {
    run = std::find_if(run, characters->end(), is_mark);
    const auto end = std::find_if_not(run, characters->end(), is_mark);
    std::stable_sort(run, end, [](utf8proc_int32_t a, utf8proc_int32_t b) {
      return CombiningClass(a) < CombiningClass(b);
    });
    run = end;
  }
}

std::string Composed(std::string_view text) {
  Characters characters;
  for (size_t at = 0; at < text.size(); at += Utf8Length(text[at])) {
    AppendDecomposed(DecodeUtf8(text, at), &characters);
  }
  SortMarks(&characters);
  const utf8proc_ssize_t count =
      utf8proc_normalize_utf32(characters.data(), static_cast<utf8proc_ssize_t>(characters.size()),
                               static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  std::string out;
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    AppendUtf8(static_cast<char32_t>(characters[i]), &out);
  }
  return out;
}

// Replaces what differs between `before`, which stands at `begin`, and `after`; marks beside it
// stay.
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

class KindTable {
 public:
  KindTable() : kinds_(kFirstAlwaysInert, Kind::kInert) {
    for (char32_t c = kFirstNotInert; c < kFirstAlwaysInert; ++c) {
      if (c == 0xD800) c = 0xE000;  // surrogates are no characters
      const utf8proc_property_t* property = utf8proc_get_property(static_cast<int32_t>(c));
      if (property->combining_class != 0) kinds_[c] = Kind::kJoins;
      if (property->decomp_type == 0 && property->decomp_seqindex != UINT16_MAX) AddDecomposable(c);
    }
    // Hangul vowels and finals.  U+11A7 between them is neither, which utf8proc 2.8 mistakes.
    for (char32_t c = 0x1161; c <= 0x1175; ++c) kinds_[c] = Kind::kJoins;
    for (char32_t c = 0x11A8; c <= 0x11C2; ++c) kinds_[c] = Kind::kJoins;
    for (const Range& range : kTooNew) {
      for (char32_t c = range.first; c <= range.last; ++c) kinds_[c] = Kind::kInert;
    }
  }

  Kind Of(char32_t c) const { return c < kFirstAlwaysInert ? kinds_[c] : Kind::kInert; }

 private:
  // What a character that NFC keeps decomposes to says which characters can be second in a pair.
  void AddDecomposable(char32_t c) {
    std::string text;
    AppendUtf8(c, &text);
    if (Composed(text) != text) {
      kinds_[c] = Kind::kChanges;
      return;
    }
    Characters parts;
    AppendDecomposed(c, &parts);
    for (size_t i = 1; i < parts.size(); ++i) kinds_[parts[i]] = Kind::kJoins;
  }

  std::vector<Kind> kinds_;
};

Kind KindOf(char32_t c) {
  static const KindTable* const table = new KindTable;
  return c < kFirstNotInert ? Kind::kInert : table->Of(c);
}

}  // namespace

void ComposeNfc(TrackedText* tracked) {
  const std::string_view text = tracked->text;
  std::unique_ptr<Rewriter> rewriter;
  size_t inert = 0;  // where the last inert character before `at` begins
  for (size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      inert = at++;
      continue;
    }
    if (KindOf(DecodeUtf8(text, at)) == Kind::kInert) {
      inert = at;
      at += Utf8Length(text[at]);
      continue;
    }
    const size_t begin = inert;
    do {
      at += Utf8Length(text[at]);
    } while (at < text.size() && KindOf(DecodeUtf8(text, at)) != Kind::kInert);
    inert = at;
    const std::string_view before = text.substr(begin, at - begin);
    const std::string composed = Composed(before);
    if (composed == before) continue;
    if (rewriter == nullptr) rewriter = std::make_unique<Rewriter>(tracked);
    ReplaceDifference(begin, before, composed, rewriter.get());
  }
  if (rewriter != nullptr) rewriter->Finish();
}

}  // namespace mozgach
