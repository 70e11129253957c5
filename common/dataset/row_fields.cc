#include "common/dataset/row_fields.h"

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/utf8.h"

namespace mozgach {
using Json = nlohmann::json;

bool HasField(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

bool HasValue(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !IsEmptyValue(*found);
}

absl::Status MissingField(const Json& object, const char* key, const char* needs) {
  return absl::InvalidArgumentError(
      absl::StrCat("row has no '", key, "': ", needs, KeyAdvice(object, key)));
}

absl::StatusOr<std::string> TextField(const Json& object, const char* key, const char* needs) {
  if (!HasField(object, key)) return MissingField(object, key, needs);
  const Json& value = object.at(key);
  if (!value.is_string()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", key, "' is ", value.type_name(), ", it must be text: ", needs));
  }
  return value.get<std::string>();
}

absl::StatusOr<std::string> OptionalTextField(const Json& object, const char* key,
                                              const char* needs) {
  if (!HasField(object, key)) return std::string();
  const Json& value = object.at(key);
  if (!value.is_string() && IsEmptyValue(value)) return std::string();
  ASSIGN_OR_RETURN(std::string text, TextField(object, key, needs));
  return absl::StripAsciiWhitespace(text).empty() ? std::string() : text;
}

namespace {

absl::StatusOr<std::string> RoleOf(const std::string& name) {
  static const auto* const roles = new std::map<std::string, std::string>{
      {"system", "system"},       {"user", "user"},        {"human", "user"},
      {"assistant", "assistant"}, {"gpt", "assistant"},    {"model", "assistant"},
      {"tool", "tool"},           {"observation", "tool"}, {"developer", "system"}};
  const auto found = roles->find(name);
  if (found != roles->end()) return found->second;
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown role '", Abbreviate(name, 40),
      "': roles are system, user, assistant and tool (human and gpt in sharegpt rows)"));
}

// The texts of content that is a list of parts, joined.
absl::Status AppendPart(const Json& part, const std::string& key, UnknownKeys* unknown,
                        std::string* content) {
  static const auto* const read = new KeyNames{"type", "text"};
  if (part.is_string()) {
    content->append(part.get_ref<const std::string&>());
    return absl::OkStatus();
  }
  const bool typed = part.is_object() && HasField(part, "type") && part.at("type").is_string();
  const std::string type = typed ? part.at("type").get<std::string>() : "text";
  const bool is_text = type == "text" || type == "input_text" || type == "output_text";
  if (!is_text) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", key, "' has a part of type '", Abbreviate(type, 40), "': only text can be trained"));
  }
  if (!part.is_object() || !HasField(part, "text") || !part.at("text").is_string()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", key, "' has a part that is not text: only text can be trained"));
  }
  RETURN_IF_ERROR(CheckKeys(part, *read, absl::StrCat(key, "[]."), unknown));
  ASSIGN_OR_RETURN(const std::optional<TrainSwitch> train, TrainSwitchOf(part));
  if (train && !train->trained) {
    return absl::InvalidArgumentError(absl::StrCat("'", train->key, "' of a part of '", key,
                                                   "' is not supported: it can be set for whole ",
                                                   "turns"));
  }
  content->append(part.at("text").get_ref<const std::string&>());
  return absl::OkStatus();
}

// Content as published datasets have it: text, or a list of parts that are all text.
absl::StatusOr<std::string> ContentOf(const Json& message, const std::string& key,
                                      const char* needs, UnknownKeys* unknown) {
  if (!HasField(message, key.c_str()) || !message.at(key).is_array()) {
    return TextField(message, key.c_str(), needs);
  }
  std::string content;
  for (const Json& part : message.at(key)) {
    RETURN_IF_ERROR(AppendPart(part, key, unknown, &content));
  }
  return content;
}

// Whether a turn of `role` is trained where its format would train it.
absl::StatusOr<bool> IsTrained(const Json& json, const std::string& role, bool targets) {
  ASSIGN_OR_RETURN(const std::optional<TrainSwitch> train, TrainSwitchOf(json));
  if (!train || (train->trained && !train->overrides)) return true;
  if (!train->trained) return false;
  if (role == "assistant" && targets) return true;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", train->key, "' asks to train a turn of the ", role, targets ? "" : " in the prompt",
      ": only the assistant's answers can be chosen; remove the key, and to train every turn set ",
      "data.completion_only_loss to false"));
}

absl::StatusOr<Message> MessageFrom(const Json& json, RowFormat format, const char* needs,
                                    bool targets, const std::string& prefix, UnknownKeys* unknown) {
  const KeyNames& keys = TurnKeys(format);
  if (!json.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat("it is ", json.type_name(), ": ", needs));
  }
  RETURN_IF_ERROR(CheckKeys(json, keys, prefix, unknown));
  ASSIGN_OR_RETURN(const std::string name, TextField(json, keys[0].c_str(), needs));
  Message message;
  ASSIGN_OR_RETURN(message.role, RoleOf(name));
  ASSIGN_OR_RETURN(message.content, ContentOf(json, keys[1], needs, unknown));
  ASSIGN_OR_RETURN(message.trained, IsTrained(json, message.role, targets));
  return message;
}

}  // namespace

absl::Status AppendMessages(const Json& object, const char* key, RowFormat format,
                            const char* needs, bool targets, UnknownKeys* unknown, Row* row) {
  const Json& list = object.at(key);
  if (!list.is_array()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", key, "' is ", list.type_name(), ", it must be a list: ", needs));
  }
  const std::string prefix = absl::StrCat(key, "[].");
  for (size_t i = 0; i < list.size(); ++i) {
    absl::StatusOr<Message> message = MessageFrom(list[i], format, needs, targets, prefix, unknown);
    if (!message.ok()) return Annotate(message.status(), absl::StrCat(key, "[", i, "]"));
    row->messages.push_back(*std::move(message));
  }
  return absl::OkStatus();
}

}  // namespace mozgach
