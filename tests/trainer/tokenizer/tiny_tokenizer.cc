#include "tests/trainer/tokenizer/tiny_tokenizer.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <iostream>

#include "trainer/tokenizer/text/byte_level.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

using nlohmann::json;

void MustBeOk(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  abort();
}

}  // namespace

TemporaryBase::TemporaryBase() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tokenizer_test.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) abort();
  path_ = pattern;
}

TemporaryBase::~TemporaryBase() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryBase::WriteText(const std::string& name, const std::string& bytes) const {
  std::ofstream(path_ / name, std::ios::binary) << bytes;
}

void TemporaryBase::WriteJson(const std::string& name, const json& value) const {
  WriteText(name, value.dump());
}

json ByteLevelFile(const MergePairs& merges) {
  std::vector<std::string> alphabet;
  for (int byte = 0; byte < 256; ++byte) {
    std::string spelled;
    AppendUtf8(ByteLevelCharacter(static_cast<uint8_t>(byte)), &spelled);
    alphabet.push_back(spelled);
  }
  json file = CharacterFile(alphabet, merges);
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", R"(\p{L}+|[^\p{L}])"}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  file["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers", json::array({split, byte_level})}};
  file["decoder"] = {{"type", "ByteLevel"}};
  return file;
}

json CharacterFile(const std::vector<std::string>& alphabet, const MergePairs& merges) {
  json vocabulary = json::object();
  const auto add = [&](const std::string& text) {
    if (vocabulary.contains(text)) return;
    const size_t id = vocabulary.size();
    vocabulary[text] = id;
  };
  for (const std::string& character : alphabet) add(character);
  json list = json::array();
  for (const auto& [left, right] : merges) {
    add(left + right);
    list.push_back(json::array({left, right}));
  }
  return {{"version", "1.0"},
          {"added_tokens", json::array()},
          {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", list}}}};
}

json WithVocabularySize(json file, size_t size) {
  json& vocabulary = file["model"]["vocab"];
  for (size_t id = vocabulary.size(); id < size; ++id) {
    vocabulary["unused" + std::to_string(id)] = id;
  }
  return file;
}

json AddedTokenJson(int id, const std::string& content, const std::vector<std::string>& flags) {
  json token = {{"id", id}, {"content", content}};
  for (const char* flag : {"special", "single_word", "lstrip", "rstrip", "normalized"}) {
    token[flag] = std::find(flags.begin(), flags.end(), flag) != flags.end();
  }
  return token;
}

absl::StatusOr<std::shared_ptr<const Tokenizer>> LoadFile(const json& file) {
  const TemporaryBase base;
  base.WriteJson("tokenizer.json", file);
  return Tokenizer::Load(base.path());
}

std::shared_ptr<const Tokenizer> MustLoad(const json& file) {
  absl::StatusOr<std::shared_ptr<const Tokenizer>> tokenizer = LoadFile(file);
  MustBeOk(tokenizer.status());
  return *tokenizer;
}

std::vector<int32_t> MustEncode(const Tokenizer& tokenizer, const std::string& text,
                                SpecialTokens special) {
  std::vector<int32_t> ids;
  MustBeOk(tokenizer.Encode(text, special, &ids));
  return ids;
}

}  // namespace mozgach
