// A Tokenizer turns text into token ids and back, as defined by a base's tokenizer.json.
//
// Immutable after loading; thread-safe. Supports byte-level BPE (Qwen, Llama 3) and
// SentencePiece-style BPE with byte fallback (Llama 2, Mistral, Gemma). An unsupported feature of a
// file is never approximated: INVALID_ARGUMENT names it. Source of the format: Hugging Face
// tokenizers, `tokenizer.json` ("version": "1.0"). Its "truncation" and "padding" do not concern
// single texts and are ignored.
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

// How tokens with "special": true are treated. Other added tokens are found in every text.
enum class SpecialTokens {
  kParse,   // "<|im_end|>" in the text becomes that token: for the template's own markers
  kAsText,  // special tokens in the text are ordinary characters: for text by users
};

class Tokenizer {
 public:
  // Reads `base_dir`/tokenizer.json and, if they exist, generation_config.json, config.json and the
  // files of declared_tokens.h (more special and added tokens, as in transformers 5).
  static absl::StatusOr<std::shared_ptr<const Tokenizer>> Load(
      const std::filesystem::path& base_dir);

  virtual ~Tokenizer() = default;

  // Appends the ids of `text` to `ids`; adds no BOS or EOS. Input that is not UTF-8 is
  // INVALID_ARGUMENT with the offset of the first bad byte.
  virtual absl::Status Encode(std::string_view text, SpecialTokens special,
                              std::vector<int32_t>* ids) const = 0;

  // Encodes the concatenation of `pieces`, each with its own treatment of special tokens. The
  // ordinary text between two special tokens is encoded as a whole, even across pieces. A special
  // token is recognised only if it lies completely in pieces that are parsed. Appends to
  // `piece_of_token`, for each token, the index of the piece with the token's last byte. A run of
  // characters that normalisation changes belongs to the piece of its last character.
  struct Piece {
    std::string_view text;
    SpecialTokens special;
  };
  // `markers`: added tokens that are treated as special, regardless of their flag.
  virtual absl::Status EncodePieces(std::span<const Piece> pieces, std::span<const int32_t> markers,
                                    std::vector<int32_t>* ids,
                                    std::vector<int32_t>* piece_of_token) const = 0;

  absl::Status EncodePieces(std::span<const Piece> pieces, std::vector<int32_t>* ids,
                            std::vector<int32_t>* piece_of_token) const {
    return EncodePieces(pieces, {}, ids, piece_of_token);
  }

  // Returns the text of `ids`. Ids out of range are skipped; bytes that are not UTF-8 become
  // U+FFFD.
  virtual std::string Decode(std::span<const int32_t> ids, bool skip_special) const = 0;

  virtual std::optional<int32_t> TokenId(std::string_view token) const = 0;
  virtual std::string TokenText(int32_t id) const = 0;
  virtual bool IsSpecial(int32_t id) const = 0;
  virtual bool IsAdded(int32_t id) const = 0;  // true for added tokens, special or not
  virtual int32_t VocabularySize() const = 0;  // highest id + 1

  // The token to put before a text, if the post-processor of tokenizer.json requires one.
  virtual std::optional<int32_t> BosToPrepend() const = 0;
  virtual std::optional<int32_t> BosId() const = 0;
  virtual std::optional<int32_t> EosId() const = 0;  // id of eos_token
  virtual std::optional<int32_t> PadId() const = 0;
  // Tokens that stop generation: eos_token_id (one or several) of generation_config.json and of
  // config.json, and EosId().
  virtual const std::vector<int32_t>& StopIds() const = 0;
};

}  // namespace mozgach
