// A dataset is a JSONL file; a Row is one line of it as a conversation, whatever format it came in.
//
// mozgachctl checks datasets before it submits them, and the trainer reads them: one reader for
// both. Formats: alpaca {instruction, input?, output, system?, history?}, messages {messages:
// [{role, content}], system?}, prompt_completion {prompt, completion} (text, or lists of messages),
// sharegpt {conversations: [{from, value}], system?}, text {text}.  row_keys.h says what becomes of
// other keys: they are honoured, rejected by name, or counted as unknown.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach {

struct Message {
  std::string role;  // system | user | assistant | tool
  std::string content;
  bool trained = true;  // false: the row says that this turn is not trained
};

struct Row {
  // A conversation whose last message is the assistant's.  The assistant's turns from
  // `first_target` on are what is trained: all of them, but for the prompt of prompt_completion,
  // and but for those whose `trained` is false.
  std::vector<Message> messages;
  int64_t first_target = 0;
  // A prompt and a completion that are both text: without a chat template they are one text.
  bool one_text = false;
  // Where `messages` is empty: plain text, trained as a whole.
  std::string text;
  int64_t line = 0;     // 1-based, in its file
  bool trained = true;  // false: the row says that none of it is trained

  bool IsConversation() const { return !messages.empty(); }
  // True if a turn that would be trained is not, because the row says so.
  bool HasUntrainedTurn() const;
};

enum class RowFormat { kAuto, kAlpaca, kMessages, kPromptCompletion, kShareGpt, kText };

// "auto", "alpaca", …; anything else is INVALID_ARGUMENT.
absl::StatusOr<RowFormat> ParseRowFormat(std::string_view name);

// The keys of a file's rows and turns that no format reads.
class UnknownKeys {
 public:
  struct Key {
    int64_t rows = 0;
    int64_t last_row = 0;
    std::string nearest;  // the known key that may be meant; empty: none is near
  };

  void BeginRow() { ++row_; }
  // Counts `key` once per row, under the name `prefix` + `key`; `known` are the keys that could be
  // meant.  Keeps the first kMostKeys names.
  void Add(const std::string& prefix, const std::string& key,
           const std::vector<std::string>& known);

  const std::map<std::string, Key>& keys() const { return keys_; }

 private:
  static constexpr size_t kMostKeys = 64;

  std::map<std::string, Key> keys_;
  int64_t row_ = 0;
};

// One line, at most 16 MiB, nested at most 64 deep.  kAuto takes the format by the keys that are
// there.  INVALID_ARGUMENT says what is wrong and what would be right, without the place: the
// caller knows file and line.  Counts unknown keys in `unknown`, if given.
absl::StatusOr<Row> ParseRow(std::string_view line, RowFormat format,
                             UnknownKeys* unknown = nullptr);

struct Dataset {
  std::vector<Row> rows;
  UnknownKeys unknown_keys;
  int64_t left_out = 0;  // rows that say that they are not trained; they are not in `rows`
};

// All rows in file order; blank lines are skipped, a byte order mark and CRLF are understood.
// INVALID_ARGUMENT: "name:line: what" for the first `max_problems` bad rows; one message if the
// file is not JSON Lines at all (an array, an archive), or without rows. NOT_FOUND if
// the file does not exist. `name` is the file as messages name it; empty: its path.
absl::StatusOr<Dataset> ReadDataset(const std::filesystem::path& path, RowFormat format,
                                    std::string_view name = "", int max_problems = 5);

}  // namespace mozgach
