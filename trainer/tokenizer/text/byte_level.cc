#include "trainer/tokenizer/text/byte_level.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "trainer/tokenizer/text/split.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

// GPT-2's pattern for words, used if "use_regex" is true.
constexpr std::string_view kWords =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct Alphabet {
  std::array<char32_t, 256> character_of;
  std::array<int16_t, 0x144> byte_of;  // -1: stands for no byte

  Alphabet() {
    byte_of.fill(-1);
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable =
          (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
      character_of[byte] = printable ? static_cast<char32_t>(byte) : next++;
      byte_of[character_of[byte]] = static_cast<int16_t>(byte);
    }
  }
};

const Alphabet& TheAlphabet() {
  static const Alphabet alphabet;
  return alphabet;
}

class ByteLevel : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, std::optional<Regex> words)
      : add_prefix_space_(add_prefix_space), words_(std::move(words)) {}

  absl::Status Apply(Words* words) const override {
    if (add_prefix_space_) AddPrefixSpaces(words);
    if (!words_.has_value()) return absl::OkStatus();
    std::vector<Span> cut;
    RETURN_IF_ERROR(words_->FindInParts(
        words->text.text, words->spans, [&](Span part, const std::vector<Span>& matches) {
          AppendSplit(part, matches, SplitBehavior::kIsolated, /*invert=*/false, &cut);
        }));
    words->spans = std::move(cut);
    return absl::OkStatus();
  }

  bool byte_level() const override { return true; }

 private:
  static void AddPrefixSpaces(Words* words) {
    Rewriter rewriter(&words->text);
    size_t grown = 0;
    for (Span& word : words->spans) {
      const bool prefixed = words->text.text[word.begin] == ' ';
      if (!prefixed) rewriter.Replace(word.begin, word.begin, " ");
      word.begin += grown;
      grown += prefixed ? 0 : 1;
      word.end += grown;
    }
    rewriter.Finish();
  }

  bool add_prefix_space_;
  std::optional<Regex> words_;
};

}  // namespace

char32_t ByteLevelCharacter(uint8_t byte) { return TheAlphabet().character_of[byte]; }

bool AppendByteLevelBytes(std::string_view spelled, std::string* bytes) {
  const size_t size_before = bytes->size();
  for (size_t at = 0; at < spelled.size(); at += Utf8Length(spelled[at])) {
    const char32_t character = DecodeUtf8(spelled, at);
    const int byte = character < 0x144 ? TheAlphabet().byte_of[character] : -1;
    if (byte < 0) {
      bytes->resize(size_before);
      return false;
    }
    bytes->push_back(static_cast<char>(byte));
  }
  return true;
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeByteLevel(const JsonObject& json) {
  ASSIGN_OR_RETURN(const bool add_prefix_space, json.Bool("add_prefix_space", true));
  ASSIGN_OR_RETURN(const bool use_regex, json.Bool("use_regex", true));
  std::optional<Regex> words;
  if (use_regex) {
    ASSIGN_OR_RETURN(words, Regex::Compile(kWords));
  }
  return std::make_unique<ByteLevel>(add_prefix_space, std::move(words));
}

}  // namespace mozgach
