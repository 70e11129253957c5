#include "common/row_fields.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"

namespace mozgach {
using Json = nlohmann::json;

bool HasField(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

absl::Status MissingField(const char* key, const char* needs) {
  return absl::InvalidArgumentError(absl::StrCat("row has no '", key, "': ", needs));
}

absl::StatusOr<std::string> TextField(const Json& object, const char* key, const char* needs) {
  if (!HasField(object, key)) return MissingField(key, needs);
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
  return TextField(object, key, needs);
}

namespace {

absl::StatusOr<std::string> RoleOf(const std::string& name) {
  static const auto* const roles = new std::map<std::string, std::string>{
      {"system", "system"}, {"user", "user"},       {"human", "user"}, {"assistant", "assistant"},
      {"gpt", "assistant"}, {"model", "assistant"}, {"tool", "tool"},  {"observation", "tool"}};
  const auto found = roles->find(name);
  if (found != roles->end()) return found->second;
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown role '", Abbreviate(name, 40),
      "': roles are system, user, assistant and tool (human and gpt in sharegpt rows)"));
}

// Content as published datasets have it: text, or a list of parts that are all text.
absl::StatusOr<std::string> ContentOf(const Json& message, const char* key, const char* needs) {
  if (!HasField(message, key) || !message.at(key).is_array()) return TextField(message, key, needs);
  std::string content;
  for (const Json& part : message.at(key)) {
    if (!part.is_object() || !HasField(part, "text") || !part.at("text").is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", key, "' has a part that is no text: only text can be trained"));
    }
    content += part.at("text").get<std::string>();
  }
  return content;
}

absl::StatusOr<Message> MessageFrom(const Json& json, const char* role, const char* content,
                                    const char* needs) {
  if (!json.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat("it is ", json.type_name(), ": ", needs));
  }
  for (const char* lost : {"tool_calls", "function_call", "reasoning_content"}) {
    if (HasField(json, lost) && !json.at(lost).empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", lost,
                       "' is not supported: write what the assistant should say as text "
                       "into '",
                       content, "'"));
    }
  }
  ASSIGN_OR_RETURN(const std::string name, TextField(json, role, needs));
  Message message;
  ASSIGN_OR_RETURN(message.role, RoleOf(name));
  ASSIGN_OR_RETURN(message.content, ContentOf(json, content, needs));
  return message;
}

}  // namespace

absl::Status AppendMessages(const Json& object, const char* key, const char* role,
                            const char* content, const char* needs, Row* row) {
  const Json& list = object.at(key);
  if (!list.is_array()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", key, "' is ", list.type_name(), ", it must be a list: ", needs));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    absl::StatusOr<Message> message = MessageFrom(list[i], role, content, needs);
    if (!message.ok()) return Annotate(message.status(), absl::StrCat(key, "[", i, "]"));
    row->messages.push_back(*std::move(message));
  }
  return absl::OkStatus();
}

}  // namespace mozgach
