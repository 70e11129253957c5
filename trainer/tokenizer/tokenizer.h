// A Tokenizer turns text into token ids and back, as a base's tokenizer.json says.
//
// Immutable after loading; safe from any thread.  Kinds: byte-level BPE (Qwen, Llama 3) and
// SentencePiece-style BPE with byte fallback (Llama 2, Mistral, Gemma).  Whatever a file asks for
// and we do not have is INVALID_ARGUMENT with its name, never an approximation.
// Source of the format: Hugging Face tokenizers, `tokenizer.json` ("version": "1.0"); its
// "truncation" and "padding" say nothing about single texts and are passed over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach {

// What becomes of tokens with "special": true.  Other added tokens are found in every text.
enum class SpecialTokens {
  kParse,   // "<|im_end|>" in the text is that token: for the template's own markers
  kAsText,  // special tokens in the text are ordinary characters: for what people wrote
};

class Tokenizer {
 public:
  // Reads `base_dir`/tokenizer.json and, where they are there, the files of declared_tokens.h
  // (further special and added tokens, as transformers 5 reads them), generation_config.json and
  // config.json.
  static absl::StatusOr<std::shared_ptr<const Tokenizer>> Load(
      const std::filesystem::path& base_dir);

  virtual ~Tokenizer() = default;

  // Appends the ids of `text` to `ids`; adds no BOS or EOS.  Input that is not UTF-8 is
  // INVALID_ARGUMENT with the offset of the first bad byte.
  virtual absl::Status Encode(std::string_view text, SpecialTokens special,
                              std::vector<int32_t>* ids) const = 0;

  // Encodes pieces that stand side by side in one text, each with its own treatment of special
  // tokens, exactly as if the ordinary text between two special tokens were encoded at once.  A
  // special token counts only where all of it lies in pieces that are parsed.  `piece_of_token`
  // (same length as what is appended) names the piece that a token's last byte came from; a run of
  // characters that normalisation changes belongs to the piece of its last one.
  struct Piece {
    std::string_view text;
    SpecialTokens special;
  };
  // `markers`: added tokens that count as special here, whatever their flag says.
  virtual absl::Status EncodePieces(std::span<const Piece> pieces, std::span<const int32_t> markers,
                                    std::vector<int32_t>* ids,
                                    std::vector<int32_t>* piece_of_token) const = 0;

  absl::Status EncodePieces(std::span<const Piece> pieces, std::vector<int32_t>* ids,
                            std::vector<int32_t>* piece_of_token) const {
    return EncodePieces(pieces, {}, ids, piece_of_token);
  }

  // The text of `ids`.  Ids out of range are passed over; bytes that are not UTF-8 become U+FFFD.
  virtual std::string Decode(std::span<const int32_t> ids, bool skip_special) const = 0;

  virtual std::optional<int32_t> TokenId(std::string_view token) const = 0;
  virtual std::string TokenText(int32_t id) const = 0;
  virtual bool IsSpecial(int32_t id) const = 0;
  virtual bool IsAdded(int32_t id) const = 0;  // an added token, flagged special or not
  virtual int32_t VocabularySize() const = 0;  // highest id + 1

  // Put before a text when the post-processor of tokenizer.json says so.
  virtual std::optional<int32_t> BosToPrepend() const = 0;
  virtual std::optional<int32_t> BosId() const = 0;
  virtual std::optional<int32_t> EosId() const = 0;  // id of eos_token
  virtual std::optional<int32_t> PadId() const = 0;
  // Where generation stops: generation_config.json's eos_token_id (one or several), config.json's,
  // and EosId().
  virtual const std::vector<int32_t>& StopIds() const = 0;
};

}  // namespace mozgach
