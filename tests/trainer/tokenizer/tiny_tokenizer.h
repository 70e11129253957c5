// Small tokenizers for tests: described here, written to a temporary directory, loaded from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "nlohmann/json.hpp"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {

// A base directory of its own, removed at the end.
class TemporaryBase {
 public:
  TemporaryBase();
  ~TemporaryBase();
  TemporaryBase(const TemporaryBase&) = delete;
  TemporaryBase& operator=(const TemporaryBase&) = delete;

  void WriteText(const std::string& name, const std::string& bytes) const;
  void WriteJson(const std::string& name, const nlohmann::json& value) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using MergePairs = std::vector<std::pair<std::string, std::string>>;

// A byte-level tokenizer.json: the 256 bytes as ids 0…255 by value, then the results of `merges`,
// in order. No normalizer; one word per run of letters, and per character else.
nlohmann::json ByteLevelFile(const MergePairs& merges);

// A tokenizer.json over the characters of `alphabet`, ids from 0, then the results of `merges`. No
// normalizer, no words.
nlohmann::json CharacterFile(const std::vector<std::string>& alphabet, const MergePairs& merges);

// The tokenizer.json with words that no text has, so that the vocabulary has `size` tokens.
nlohmann::json WithVocabularySize(nlohmann::json file, size_t size);

// {"id", "content", "special", …}; `flags` names those that are true.
nlohmann::json AddedTokenJson(int id, const std::string& content,
                              const std::vector<std::string>& flags);

absl::StatusOr<std::shared_ptr<const Tokenizer>> LoadFile(const nlohmann::json& file);

// Ends the program when the file does not load, or the text is not encoded.
std::shared_ptr<const Tokenizer> MustLoad(const nlohmann::json& file);
std::vector<int32_t> MustEncode(const Tokenizer& tokenizer, const std::string& text,
                                SpecialTokens special = SpecialTokens::kParse);

}  // namespace mozgach
