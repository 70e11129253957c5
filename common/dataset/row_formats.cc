#include "common/dataset/row_formats.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/dataset/row_fields.h"

namespace mozgach {
namespace {
using Json = nlohmann::json;

constexpr char kAlpacaNeeds[] = "an alpaca row needs 'instruction' and 'output'";
constexpr char kMessagesNeeds[] =
    "a messages row needs 'messages': [{\"role\": …, \"content\": …}, …]";
constexpr char kPromptNeeds[] = "a prompt_completion row needs 'prompt' and 'completion'";
constexpr char kShareGptNeeds[] =
    "a sharegpt row needs 'conversations': [{\"from\": …, \"value\": …}, …]";
constexpr char kTextNeeds[] = "a text row needs 'text'";

absl::Status AppendSystem(const Json& object, const char* needs, Row* row) {
  if (!HasValue(object, "system")) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::string system, TextField(object, "system", needs));
  row->messages.push_back({"system", std::move(system)});
  return absl::OkStatus();
}

// A row may give its system message beside the turns or among them; giving both is an error unless
// they agree.
absl::Status AppendSystemAndTurns(const Json& object, const char* key, RowFormat format,
                                  const char* needs, UnknownKeys* unknown, Row* row) {
  RETURN_IF_ERROR(AppendSystem(object, needs, row));
  const bool beside = !row->messages.empty();
  RETURN_IF_ERROR(AppendMessages(object, key, format, needs, /*targets=*/true, unknown, row));
  if (!beside || row->messages.size() < 2 || row->messages[1].role != "system") {
    return absl::OkStatus();
  }
  if (row->messages[0].content != row->messages[1].content) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the row has a 'system' and '", key, "' starts with another system message: remove one"));
  }
  row->messages.erase(row->messages.begin());
  return absl::OkStatus();
}

absl::Status AppendHistory(const Json& object, Row* row) {
  if (!HasValue(object, "history")) return absl::OkStatus();
  const Json& history = object.at("history");
  const absl::Status wrong = absl::InvalidArgumentError(
      "'history' must be a list of earlier turns, [[\"instruction\", \"output\"], …]");
  if (!history.is_array()) return wrong;
  for (const Json& turn : history) {
    if (!turn.is_array() || turn.size() != 2 || !turn[0].is_string() || !turn[1].is_string()) {
      return wrong;
    }
    row->messages.push_back({"user", turn[0].get<std::string>()});
    row->messages.push_back({"assistant", turn[1].get<std::string>()});
  }
  return absl::OkStatus();
}

absl::StatusOr<Row> AlpacaRow(const Json& object) {
  Row row;
  RETURN_IF_ERROR(AppendSystem(object, kAlpacaNeeds, &row));
  RETURN_IF_ERROR(AppendHistory(object, &row));
  ASSIGN_OR_RETURN(std::string asked, TextField(object, "instruction", kAlpacaNeeds));
  ASSIGN_OR_RETURN(const std::string input, OptionalTextField(object, "input", kAlpacaNeeds));
  if (!input.empty()) absl::StrAppend(&asked, asked.empty() ? "" : "\n", input);
  ASSIGN_OR_RETURN(std::string output, TextField(object, "output", kAlpacaNeeds));
  row.messages.push_back({"user", std::move(asked)});
  row.messages.push_back({"assistant", std::move(output)});
  return row;
}

absl::StatusOr<Row> MessagesRow(const Json& object, UnknownKeys* unknown) {
  if (!HasField(object, "messages")) return MissingField(object, "messages", kMessagesNeeds);
  Row row;
  RETURN_IF_ERROR(AppendSystemAndTurns(object, "messages", RowFormat::kMessages, kMessagesNeeds,
                                       unknown, &row));
  return row;
}

// One side of a prompt_completion row: text is a turn of `role`, a list is turns as they are.
absl::Status AppendSide(const Json& object, const char* key, const char* role, UnknownKeys* unknown,
                        Row* row) {
  if (HasField(object, key) && object.at(key).is_array()) {
    const bool targets = std::string_view(role) == "assistant";
    return AppendMessages(object, key, RowFormat::kPromptCompletion, kPromptNeeds, targets, unknown,
                          row);
  }
  ASSIGN_OR_RETURN(std::string text, TextField(object, key, kPromptNeeds));
  row->messages.push_back({role, std::move(text)});
  return absl::OkStatus();
}

absl::StatusOr<Row> PromptCompletionRow(const Json& object, UnknownKeys* unknown) {
  Row row;
  RETURN_IF_ERROR(AppendSide(object, "prompt", "user", unknown, &row));
  row.first_target = static_cast<int64_t>(row.messages.size());
  RETURN_IF_ERROR(AppendSide(object, "completion", "assistant", unknown, &row));
  row.one_text = object.at("prompt").is_string() && object.at("completion").is_string();
  return row;
}

absl::StatusOr<Row> ShareGptRow(const Json& object, UnknownKeys* unknown) {
  if (!HasField(object, "conversations")) {
    return MissingField(object, "conversations", kShareGptNeeds);
  }
  Row row;
  RETURN_IF_ERROR(AppendSystemAndTurns(object, "conversations", RowFormat::kShareGpt,
                                       kShareGptNeeds, unknown, &row));
  return row;
}

absl::StatusOr<Row> TextRow(const Json& object) {
  Row row;
  ASSIGN_OR_RETURN(row.text, TextField(object, "text", kTextNeeds));
  if (absl::StripAsciiWhitespace(row.text).empty()) {
    return absl::InvalidArgumentError("'text' is empty: there is nothing to train");
  }
  return row;
}

absl::StatusOr<Row> ByFormat(const Json& object, RowFormat format, UnknownKeys* unknown) {
  switch (format) {
    case RowFormat::kAlpaca:
      return AlpacaRow(object);
    case RowFormat::kMessages:
      return MessagesRow(object, unknown);
    case RowFormat::kPromptCompletion:
      return PromptCompletionRow(object, unknown);
    case RowFormat::kShareGpt:
      return ShareGptRow(object, unknown);
    case RowFormat::kText:
      return TextRow(object);
    case RowFormat::kAuto:
      break;
  }
  return absl::InternalError("the format of a row must be known before it is read");
}

absl::Status CheckTargets(const Row& row) {
  const std::vector<Message>& messages = row.messages;
  if (messages.empty()) return absl::InvalidArgumentError("the conversation has no messages");
  if (row.first_target >= static_cast<int64_t>(messages.size())) {
    return absl::InvalidArgumentError("no target: 'completion' is an empty list");
  }
  if (messages.back().role != "assistant") {
    return absl::InvalidArgumentError(absl::StrCat("no target: the last message is the ",
                                                   messages.back().role,
                                                   "'s, it must be the assistant's answer"));
  }
  for (size_t i = static_cast<size_t>(row.first_target); i < messages.size(); ++i) {
    if (messages[i].role == "assistant" && messages[i].trained &&
        absl::StripAsciiWhitespace(messages[i].content).empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("no target: the assistant's answer (message ", i + 1, ") is empty"));
    }
  }
  return absl::OkStatus();
}

// A row that is not trained, or none of whose answers is, trains nothing.
absl::Status ApplySwitch(const Json& object, Row* row) {
  ASSIGN_OR_RETURN(const std::optional<TrainSwitch> train, TrainSwitchOf(object));
  row->trained = !train || train->trained;
  if (!row->IsConversation()) return absl::OkStatus();
  bool any = false;
  for (size_t i = static_cast<size_t>(row->first_target); i < row->messages.size(); ++i) {
    any = any || (row->messages[i].role == "assistant" && row->messages[i].trained);
  }
  row->trained = row->trained && any;
  return absl::OkStatus();
}

template <typename Has>
std::optional<RowFormat> FormatOf(const Has& has) {
  if (has("messages")) return RowFormat::kMessages;
  if (has("conversations")) return RowFormat::kShareGpt;
  if (has("instruction") && has("output")) return RowFormat::kAlpaca;
  if (has("prompt") && has("completion")) return RowFormat::kPromptCompletion;
  if (has("text")) return RowFormat::kText;
  if (has("instruction") || has("output")) return RowFormat::kAlpaca;
  if (has("prompt") || has("completion")) return RowFormat::kPromptCompletion;
  return std::nullopt;
}

}  // namespace

absl::StatusOr<RowFormat> FormatByKeys(const Json& object) {
  // Merged datasets have the columns of every format, empty where they do not apply.
  const auto told = [&](const char* key) {
    const std::string_view name = key;
    const bool list = name == "messages" || name == "conversations";
    return list ? HasValue(object, key) : HasField(object, key);
  };
  if (const auto format = FormatOf(told)) return *format;
  if (const auto format = FormatOf([&](const char* key) { return HasField(object, key); })) {
    return *format;
  }
  RETURN_IF_ERROR(CheckKeys(object, {"system", "history"}, "", nullptr));
  std::string advice;
  for (const char* key :
       {"messages", "conversations", "instruction", "output", "prompt", "completion", "text"}) {
    if (advice.empty()) advice = KeyAdvice(object, key);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "no format has these keys: a row needs 'instruction' and 'output', 'messages', 'prompt' and "
      "'completion', 'conversations', or 'text'",
      advice));
}

absl::StatusOr<Row> RowFromJson(const Json& object, RowFormat format, UnknownKeys* unknown) {
  RETURN_IF_ERROR(CheckKeys(object, RowKeys(format), "", unknown));
  ASSIGN_OR_RETURN(Row row, ByFormat(object, format, unknown));
  if (format != RowFormat::kText) RETURN_IF_ERROR(CheckTargets(row));
  RETURN_IF_ERROR(ApplySwitch(object, &row));
  return row;
}

}  // namespace mozgach
