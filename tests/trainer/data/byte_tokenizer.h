// A Tokenizer for tests: an id per byte, and a few special tokens above them.
#pragma once

#include <map>
#include <string>

#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {

class ByteTokenizer : public Tokenizer {
 public:
  std::map<std::string, int32_t> special = {
      {"<|im_start|>", 256}, {"<|im_end|>", 257}, {"<s>", 258}, {"</s>", 259}};
  bool prepends_bos = false;
  std::optional<int32_t> eos = 259;

  absl::Status Encode(std::string_view text, SpecialTokens parse,
                      std::vector<int32_t>* ids) const override {
    for (size_t i = 0; i < text.size();) {
      const auto found = parse == SpecialTokens::kParse ? Find(text.substr(i)) : special.end();
      if (found != special.end()) {
        ids->push_back(found->second);
        i += found->first.size();
      } else {
        ids->push_back(static_cast<unsigned char>(text[i++]));
      }
    }
    return absl::OkStatus();
  }

  using Tokenizer::EncodePieces;
  absl::Status EncodePieces(std::span<const Piece> pieces, std::span<const int32_t>,
                            std::vector<int32_t>* ids,
                            std::vector<int32_t>* piece_of_token) const override {
    for (size_t i = 0; i < pieces.size(); ++i) {
      const size_t before = ids->size();
      RETURN_IF_ERROR(Encode(pieces[i].text, pieces[i].special, ids));
      piece_of_token->insert(piece_of_token->end(), ids->size() - before, static_cast<int32_t>(i));
    }
    return absl::OkStatus();
  }

  std::string Decode(std::span<const int32_t> ids, bool skip_special) const override {
    std::string text;
    for (const int32_t id : ids) {
      if (!skip_special || !IsSpecial(id)) text += TokenText(id);
    }
    return text;
  }

  std::string TokenText(int32_t id) const override {
    for (const auto& [text, special_id] : special) {
      if (special_id == id) return text;
    }
    return std::string(1, static_cast<char>(id));
  }

  std::optional<int32_t> TokenId(std::string_view token) const override {
    const auto found = special.find(std::string(token));
    if (found == special.end()) return std::nullopt;
    return found->second;
  }

  bool IsSpecial(int32_t id) const override { return id >= 256; }
  bool IsAdded(int32_t id) const override { return id >= 256; }
  int32_t VocabularySize() const override { return 260; }
  std::optional<int32_t> BosToPrepend() const override {
    return prepends_bos ? std::optional<int32_t>(258) : std::nullopt;
  }
  std::optional<int32_t> BosId() const override { return 258; }
  std::optional<int32_t> EosId() const override { return eos; }
  std::optional<int32_t> PadId() const override { return std::nullopt; }
  const std::vector<int32_t>& StopIds() const override { return stops_; }

 private:
  std::map<std::string, int32_t>::const_iterator Find(std::string_view text) const {
    for (auto it = special.begin(); it != special.end(); ++it) {
      if (text.substr(0, it->first.size()) == it->first) return it;
    }
    return special.end();
  }

  std::vector<int32_t> stops_ = {259};
};

}  // namespace mozgach
