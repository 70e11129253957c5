#include "trainer/tokenizer/added_tokens.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trainer/tokenizer/text/unicode.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

bool StandsAlone(std::string_view text, Span span) {
  const bool word_before = span.begin > 0 && IsWordCharacter(DecodeUtf8Before(text, span.begin));
  const bool word_after = span.end < text.size() && IsWordCharacter(DecodeUtf8(text, span.end));
  return !word_before && !word_after;
}

// Returns the start of the white space that ends at `end`, but at least `floor`. Returns `floor` if
// `end` < `floor`.
size_t SpaceBefore(std::string_view text, size_t end, size_t floor) {
  if (end < floor) return floor;
  while (end > floor) {
    const char32_t character = DecodeUtf8Before(text, end);
    if (!IsSpace(character)) break;
    do {
      --end;
    } while (IsUtf8Continuation(text[end]));
  }
  return end;
}

size_t SpaceAfter(std::string_view text, size_t begin) {
  while (begin < text.size() && IsSpace(DecodeUtf8(text, begin))) begin += Utf8Length(text[begin]);
  return begin;
}

absl::StatusOr<AddedToken> ReadAddedToken(const JsonObject& json) {
  AddedToken token;
  ASSIGN_OR_RETURN(const int64_t id, json.Integer("id"));
  if (id < 0 || id >= Vocabulary::kIdsMax) {
    return json.Error("id", absl::StrCat(id, " is not in [0, ", Vocabulary::kIdsMax, ")"));
  }
  token.id = static_cast<int32_t>(id);
  ASSIGN_OR_RETURN(token.content, json.String("content"));
  ASSIGN_OR_RETURN(token.special, json.Bool("special", false));
  ASSIGN_OR_RETURN(token.single_word, json.Bool("single_word", false));
  ASSIGN_OR_RETURN(token.lstrip, json.Bool("lstrip", false));
  ASSIGN_OR_RETURN(token.rstrip, json.Bool("rstrip", false));
  ASSIGN_OR_RETURN(token.normalized, json.Bool("normalized", !token.special));
  return token;
}

}  // namespace

void AddedTokenMatcher::Add(std::string_view text, const AddedToken* token) {
  if (text.empty()) return;
  begins_[static_cast<uint8_t>(text[0])] = true;
  uint64_t node = 0;
  for (const char c : text) {
    const int32_t next = static_cast<int32_t>(ends_.size());
    const auto [edge, added] = edges_.try_emplace(node << 8 | static_cast<uint8_t>(c), next);
    if (added) ends_.push_back(nullptr);
    node = static_cast<uint64_t>(edge->second);
  }
  if (ends_[node] == nullptr) ends_[node] = token;
}

Occurrence AddedTokenMatcher::LongestAt(std::string_view text, size_t begin,
                                        MayParse may_parse) const {
  Occurrence longest = {nullptr, {begin, begin}, begin};
  uint64_t node = 0;
  for (size_t at = begin; at < text.size(); ++at) {
    const auto edge = edges_.find(node << 8 | static_cast<uint8_t>(text[at]));
    if (edge == edges_.end()) break;
    node = static_cast<uint64_t>(edge->second);
    const AddedToken* token = ends_[node];
    if (token == nullptr) continue;
    const Span span = {begin, at + 1};
    if (may_parse(*token, span)) longest = {token, span, span.end};
  }
  return longest;
}

std::vector<Occurrence> AddedTokenMatcher::FindAll(std::string_view text,
                                                   MayParse may_parse) const {
  std::vector<Occurrence> found;
  if (empty()) return found;
  size_t taken = 0;          // end of the last token found
  Span last_space = {0, 0};  // last run of white space, scanned only once
  for (size_t at = 0; at < text.size();) {
    if (!begins_[static_cast<uint8_t>(text[at])]) {
      ++at;
      continue;
    }
    Occurrence occurrence = LongestAt(text, at, may_parse);
    const AddedToken* token = occurrence.token;
    if (token == nullptr) {
      ++at;
      continue;
    }
    at = occurrence.content_end;
    if (token->single_word && !StandsAlone(text, occurrence.span)) continue;
    if (token->lstrip) occurrence.span.begin = SpaceBefore(text, occurrence.span.begin, taken);
    if (token->rstrip) {
      if (at < last_space.begin || at >= last_space.end) last_space = {at, SpaceAfter(text, at)};
      occurrence.span.end = last_space.end;
    }
    taken = occurrence.span.end;
    // A token made of white space can be consumed completely by its neighbour.
    if (occurrence.span.begin < occurrence.span.end) found.push_back(occurrence);
  }
  return found;
}

int32_t NextAddedId(const Vocabulary& vocabulary, const Vocabulary& names) {
  return std::max(static_cast<int32_t>(vocabulary.size()), names.end());
}

absl::StatusOr<std::vector<AddedToken>> ReadAddedTokens(const std::vector<JsonObject>& list,
                                                        const Vocabulary& vocabulary,
                                                        Vocabulary* names) {
  std::vector<AddedToken> tokens;
  Vocabulary listed;  // texts with the ids in `list`
  for (const JsonObject& json : list) {
    ASSIGN_OR_RETURN(AddedToken token, ReadAddedToken(json));
    if (token.content.empty()) continue;
    const int32_t known = vocabulary.Find(token.content);
    if (known >= 0 && known != token.id) {
      return json.Error("id", absl::StrCat(token.id, ", but '", token.content, "' has id ", known,
                                           " in model.vocab"));
    }
    if (known < 0 && vocabulary.Has(token.id)) {
      return json.Error("id",
                        absl::StrCat(token.id, " is '", std::string(vocabulary.Text(token.id)),
                                     "' in model.vocab"));
    }
    const absl::Status once = listed.Add(token.content, token.id);
    if (!once.ok()) return Annotate(once, json.where());
    token.declared_id = token.id;
    if (known < 0) token.id = NextAddedId(vocabulary, *names);
    RETURN_IF_ERROR(Annotate(names->Add(token.content, token.id), json.where()));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace mozgach
