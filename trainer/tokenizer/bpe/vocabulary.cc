#include "trainer/tokenizer/bpe/vocabulary.h"

#include <functional>

#include "absl/strings/str_cat.h"

namespace mozgach {

absl::Status Vocabulary::Add(std::string_view text, int64_t id) {
  const auto error = [&](auto... why) {
    return absl::InvalidArgumentError(absl::StrCat("token '", std::string(text), "': ", why...));
  };
  if (id < 0 || id >= kIdsMax) return error("id ", id, " is not in [0, ", kIdsMax, ")");
  if (Has(id)) return error("id ", id, " is already that of '", std::string(Text(id)), "'");
  if (2 * (size_ + 1) > slots_.size()) Grow();
  const size_t slot = SlotOf(text);
  if (slots_[slot] >= 0) return error("is there twice, with ids ", slots_[slot], " and ", id);
  if (texts_.size() + text.size() >= kAbsent) return error("the texts together are too long");
  if (id >= end()) tokens_.resize(id + 1);
  tokens_[id] = {static_cast<uint32_t>(texts_.size()), static_cast<uint32_t>(text.size())};
  texts_ += text;
  slots_[slot] = static_cast<int32_t>(id);
  ++size_;
  return absl::OkStatus();
}

int32_t Vocabulary::Find(std::string_view text) const {
  return slots_.empty() ? -1 : slots_[SlotOf(text)];
}

std::string_view Vocabulary::Text(int32_t id) const {
  return std::string_view(texts_).substr(tokens_[id].begin, tokens_[id].length);
}

size_t Vocabulary::SlotOf(std::string_view text) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = std::hash<std::string_view>()(text) & mask;
  while (slots_[slot] >= 0 && Text(slots_[slot]) != text) slot = (slot + 1) & mask;
  return slot;
}

void Vocabulary::Grow() {
  slots_.assign(slots_.empty() ? 1024 : 2 * slots_.size(), -1);
  for (int32_t id = 0; id < end(); ++id) {
    if (Has(id)) slots_[SlotOf(Text(id))] = id;
  }
}

}  // namespace mozgach
