#include "trainer/tokenizer/bpe/bpe_model.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "trainer/tokenizer/text/byte_level.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {

class BpeModel::Room {
 public:
  WordCache cache;
  WordMerge merge;
  std::vector<Token> symbols;
};

namespace {

absl::Status CheckSettings(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::optional<std::string> type, json.OptionalString("type"));
  if (type.value_or("BPE") != "BPE") return json.Unsupported("type", *type);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    ASSIGN_OR_RETURN(const std::optional<std::string> affix, json.OptionalString(key));
    if (!affix.value_or("").empty()) return json.Unsupported(key, *affix);
  }
  const nlohmann::json* dropout = json.Find("dropout");
  if (dropout != nullptr && *dropout != 0.0) return json.Unsupported("dropout", dropout->dump());
  return absl::OkStatus();
}

}  // namespace

BpeModel::BpeModel(bool byte_level, bool ignore_merges, const Vocabulary& vocabulary,
                   MergeTable merges, Symbols symbols)
    : byte_level_(byte_level),
      ignore_merges_(ignore_merges),
      vocabulary_(vocabulary),
      merges_(std::move(merges)),
      symbols_(std::move(symbols)),
      joints_(merges_, symbols_) {}

BpeModel::~BpeModel() = default;

BpeModel::Lease::Lease(const BpeModel& model) : model_(model) {
  {
    const MutexLock lock(model_.mutex_);
    if (!model_.rooms_.empty()) {
      room_ = std::move(model_.rooms_.back());
      model_.rooms_.pop_back();
    }
  }
  if (room_ == nullptr) room_ = std::make_unique<Room>();
}

BpeModel::Lease::~Lease() {
  const MutexLock lock(model_.mutex_);
  model_.rooms_.push_back(std::move(room_));
}

absl::StatusOr<std::unique_ptr<BpeModel>> BpeModel::Make(const JsonObject& json, bool byte_level,
                                                         const Vocabulary& vocabulary,
                                                         const MergeList& merges) {
  RETURN_IF_ERROR(CheckSettings(json));
  ASSIGN_OR_RETURN(const bool ignore_merges, json.Bool("ignore_merges", false));
  if (vocabulary.size() == 0) return json.Error("vocab", "has no token");
  ASSIGN_OR_RETURN(Symbols symbols, Symbols::Make(json, byte_level, vocabulary));
  ASSIGN_OR_RETURN(MergeTable table, MergeTable::Build(merges, vocabulary));
  return std::unique_ptr<BpeModel>(
      new BpeModel(byte_level, ignore_merges, vocabulary, std::move(table), std::move(symbols)));
}

int32_t BpeModel::WholeToken(std::string_view word) const {
  if (!byte_level_) return vocabulary_.Find(word);
  std::string spelled;
  for (const char c : word) AppendUtf8(ByteLevelCharacter(static_cast<uint8_t>(c)), &spelled);
  return vocabulary_.Find(spelled);
}

void BpeModel::Encode(std::string_view word, Room* room, std::vector<Token>* tokens) const {
  if (room->cache.Find(word, tokens)) return;
  const size_t first = tokens->size();
  const int32_t whole = ignore_merges_ ? WholeToken(word) : -1;
  room->symbols.clear();
  if (whole >= 0) {
    tokens->push_back({whole, static_cast<uint32_t>(word.size())});
  } else {
    symbols_.Append(word, &room->symbols);
    if (word.size() > WordCache::kWordBytesMax) return EncodeRuns(word, room, tokens);
    room->merge.Run(merges_, room->symbols, tokens);
  }
  room->cache.Put(word, *tokens, first);
}

// A run lies between two neighbouring pairs that no merge can join (see Joints). SentencePiece
// models do not cut a text into words; there a run is usually a word.
void BpeModel::EncodeRuns(std::string_view word, Room* room, std::vector<Token>* tokens) const {
  const std::span<const Token> symbols = room->symbols;
  size_t first = 0;
  size_t begin = 0;  // offset of symbols[first] in the word
  size_t end = 0;    // offset of the end of symbols[i]
  for (size_t i = 0; i < symbols.size(); ++i) {
    end += symbols[i].bytes;
    if (i + 1 < symbols.size() && joints_.MayJoin(symbols[i].id, symbols[i + 1].id)) continue;
    EncodeRun(word.substr(begin, end - begin), symbols.subspan(first, i + 1 - first), room, tokens);
    first = i + 1;
    begin = end;
  }
}

// With ignore_merges_ the cache holds whole words only, and a run is not a whole word.
void BpeModel::EncodeRun(std::string_view run, std::span<const Token> symbols, Room* room,
                         std::vector<Token>* tokens) const {
  if (!ignore_merges_ && room->cache.Find(run, tokens)) return;
  const size_t first = tokens->size();
  room->merge.Run(merges_, symbols, tokens);
  if (!ignore_merges_) room->cache.Put(run, *tokens, first);
}

}  // namespace mozgach
