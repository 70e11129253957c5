// A dataset is a JSONL file; a Row is one line of it as a conversation, whatever format it came in.
//
// mozgachctl checks datasets before it submits them, and the trainer reads them: one reader for
// both. Formats: alpaca {instruction, input?, output, system?, history?}, messages {messages:
// [{role, content}]}, prompt_completion {prompt, completion} (text, or lists of messages), sharegpt
// {conversations: [{from, value}], system?}, text {text}.  Keys that a format does not know (an id,
// a source) are passed over; tools and tool calls are refused, since they would be lost.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach {

struct Message {
  std::string role;  // system | user | assistant | tool
  std::string content;
};

struct Row {
  // A conversation whose last message is the assistant's.  The assistant's turns from
  // `first_target` on are what is trained: all of them, but for the prompt of prompt_completion.
  std::vector<Message> messages;
  int64_t first_target = 0;
  // A prompt and a completion that are both text: without a chat template they are one text.
  bool one_text = false;
  // Where `messages` is empty: plain text, trained as a whole.
  std::string text;
  int64_t line = 0;  // 1-based, in its file

  bool IsConversation() const { return !messages.empty(); }
};

enum class RowFormat { kAuto, kAlpaca, kMessages, kPromptCompletion, kShareGpt, kText };

// "auto", "alpaca", …; anything else is INVALID_ARGUMENT.
absl::StatusOr<RowFormat> ParseRowFormat(std::string_view name);

// One line, at most 16 MiB, nested at most 64 deep.  kAuto takes the format by the keys that are
// there.  INVALID_ARGUMENT says what is wrong and what would be right, without the place: the
// caller knows file and line.
absl::StatusOr<Row> ParseRow(std::string_view line, RowFormat format);

// All rows in file order; blank lines are skipped, a byte order mark and CRLF are understood.
// INVALID_ARGUMENT: "path:line: what" for the first `max_problems` bad rows, or when there is no
// row at all; NOT_FOUND where there is no such file.
absl::StatusOr<std::vector<Row>> ReadDataset(const std::filesystem::path& path, RowFormat format,
                                             int max_problems = 5);

}  // namespace mozgach
