#include "common/dataset/row_keys.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/utf8.h"

namespace mozgach {
namespace {
using Json = nlohmann::json;

constexpr size_t kMostRejectedKeyBytes = 40;

bool HasKey(const KeyNames& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Other tools' names for the keys of our formats.
const KeyNames& OtherNames(const std::string& key) {
  static const auto* const names = new std::map<std::string, KeyNames>{
      {"instruction", {"question", "query", "human"}},
      {"output", {"response", "answer", "target", "reply", "completion"}},
      {"messages", {"chat", "dialog", "dialogue", "turns"}},
      {"conversations", {"conversation"}},
      {"prompt", {"question", "query"}},
      {"completion", {"response", "answer", "output"}},
      {"text", {"content", "document"}},
      {"role", {"from", "speaker"}},
      {"content", {"value"}},
      {"from", {"role", "speaker"}},
      {"value", {"content"}},
  };
  static const auto* const none = new KeyNames;
  const auto found = names->find(key);
  return found == names->end() ? *none : found->second;
}

// Why `key` is rejected; empty: it is not.
std::string WhyRejected(const std::string& key, const Json& value) {
  // A KTO label is a judgement of the answer; a label that is a number or text is a note.
  if (key == "label") return value.is_boolean() ? AllRejectedKeys().back().advice : "";
  for (const RejectedKeys& rejected : AllRejectedKeys()) {
    if (!HasKey(rejected.names, key)) continue;
    const bool has_meaning = value.is_boolean() && rejected.false_has_meaning;
    return IsEmptyValue(value) && !has_meaning ? "" : rejected.advice;
  }
  if (IsEmptyValue(value)) return "";
  if (key == "system") return "put it into the row's text, or into its list of turns";
  if (key == "history") return "write the earlier turns into the row's list of turns";
  return "";
}

// 0 and false are not trained, 1 and true are.
std::optional<bool> SwitchValue(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  if (number == 0) return false;
  if (number == 1) return true;
  return std::nullopt;
}

bool IsWeight(const std::string& key) { return key == "weight" || key == "loss_scale"; }

}  // namespace

const KeyNames& RowKeys(RowFormat format) {
  static const auto* const keys = new std::map<RowFormat, KeyNames>{
      {RowFormat::kAuto, {}},
      {RowFormat::kAlpaca, {"instruction", "input", "output", "system", "history"}},
      {RowFormat::kMessages, {"messages", "system"}},
      {RowFormat::kPromptCompletion, {"prompt", "completion"}},
      {RowFormat::kShareGpt, {"conversations", "system"}},
      {RowFormat::kText, {"text"}},
  };
  return keys->at(format);
}

const KeyNames& TurnKeys(RowFormat format) {
  static const auto* const none = new KeyNames;
  static const auto* const messages = new KeyNames{"role", "content"};
  static const auto* const sharegpt = new KeyNames{"from", "value"};
  if (format == RowFormat::kShareGpt) return *sharegpt;
  const bool has_messages =
      format == RowFormat::kMessages || format == RowFormat::kPromptCompletion;
  return has_messages ? *messages : *none;
}

const KeyNames& TrainKeys() {
  static const auto* const keys =
      new KeyNames{"weight", "loss_scale", "train", "training", "loss", "loss_mask"};
  return *keys;
}

const std::vector<RejectedKeys>& AllRejectedKeys() {
  static const auto* const keys = new std::vector<RejectedKeys>{
      {"only text can be trained",
       {"image",        "images",      "image_url", "image_urls", "image_path", "image_paths",
        "pixel_values", "video",       "videos",    "video_url",  "video_urls", "video_path",
        "video_paths",  "audio",       "audios",    "audio_url",  "audio_urls", "audio_path",
        "audio_paths",  "input_audio", "media",     "image_bytes"}},
      {"write the thought into the answer, as the base writes it, such as <think>…</think>",
       {"thinking", "thinking_content", "think", "thought", "thoughts", "reasoning",
        "reasoning_content", "reasoning_text", "reasoning_details", "chain_of_thought", "cot"}},
      {"write what the assistant should say as text into its answer",
       {"tools", "functions", "tool_calls", "tool_call_id", "tool_choice", "function_call",
        "parallel_tool_calls"}},
      {"settings of the chat template hold for a whole domain: data.chat_template",
       {"chat_template", "chat_template_kwargs", "enable_thinking"}},
      {"name it 'system'", {"system_prompt", "system_message"}},
      {"split the turn, or use 'weight' or 'train' with 0 or 1 for a whole turn",
       {"train_detail", "training_detail", "input_ids", "segments", "assistant_masks",
        "assistant_mask", "token_weights"}},
      {"use 'weight' or 'train' with 0 or 1, on a turn or a row",
       {"loss_weight", "loss_weights", "sample_weight", "sample_weights", "example_weight"}},
      {"use 'weight' or 'train' with 0 or 1, on a turn or a row",
       {"train_on_turn", "train_on_row", "trainable", "is_trained", "do_train", "mask_loss"},
       /*false_has_meaning=*/true},
      {"preferences cannot be trained; write the preferred answers as rows of their own",
       {"chosen", "rejected", "chosen_response", "rejected_response", "rejected_messages",
        "preferred_output", "non_preferred_output"}},
      {"preferences cannot be trained; write the preferred answers as rows of their own",
       {"kto_tag", "label"},
       /*false_has_meaning=*/true},
  };
  return *keys;
}

bool IsEmptyValue(const Json& value) {
  if (value.is_null() || (value.is_boolean() && !value.get<bool>())) return true;
  if (value.is_string()) {
    const auto text = absl::StripAsciiWhitespace(value.get_ref<const std::string&>());
    return text.empty() || text == "[]" || text == "{}" || text == "null";
  }
  if (!value.is_structured()) return false;
  // An empty object in a list is an element that says something: `tools: [{}]` has one tool.
  return std::all_of(value.begin(), value.end(), [](const Json& element) {
    return !(element.is_object() && element.empty()) && IsEmptyValue(element);
  });
}

absl::Status CheckKeys(const Json& object, const KeyNames& read, const std::string& prefix,
                       UnknownKeys* unknown) {
  for (const auto& [key, value] : object.items()) {
    if (HasKey(read, key) || HasKey(TrainKeys(), key)) continue;
    if (const std::string advice = WhyRejected(key, value); !advice.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("'", Abbreviate(key, kMostRejectedKeyBytes),
                                                     "' is not supported: ", advice));
    }
    if (unknown != nullptr && !IsEmptyValue(value)) unknown->Add(prefix, key, read);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TrainSwitch>> TrainSwitchOf(const Json& object) {
  std::optional<TrainSwitch> found;
  for (const std::string& key : TrainKeys()) {
    const auto at = object.find(key);
    if (at == object.end()) continue;
    const std::optional<bool> trained = SwitchValue(*at);
    if (!trained && IsEmptyValue(*at)) continue;
    if (!trained) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", key, "' is ",
                       Abbreviate(at->dump(-1, ' ', false, Json::error_handler_t::replace), 40),
                       ": only 0 or false (not trained) and 1 or true (trained) are supported"));
    }
    if (found && found->trained != *trained) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", found->key, "' and '", key, "' contradict each other: remove one"));
    }
    if (!found || !IsWeight(key)) found = TrainSwitch{*trained, key, !IsWeight(key)};
  }
  return found;
}

std::string KeyAdvice(const Json& object, const std::string& key) {
  KeyNames names = OtherNames(key);
  names.push_back(key);
  for (const auto& [typed, value] : object.items()) {
    if (typed == key || NearestName(typed, names).empty()) continue;
    return absl::StrCat("; did you mean '", key, "' instead of '", Abbreviate(typed, 40), "'?");
  }
  return "";
}

void UnknownKeys::Add(const std::string& prefix, const std::string& key, const KeyNames& known) {
  const std::string name = absl::StrCat(prefix, Abbreviate(key, kMostRejectedKeyBytes));
  auto found = keys_.find(name);
  if (found == keys_.end()) {
    if (keys_.size() >= kMostKeys) return;
    KeyNames names = known;
    names.insert(names.end(), TrainKeys().begin(), TrainKeys().end());
    found = keys_.emplace(name, Key{0, 0, NearestName(key, names)}).first;
  }
  if (found->second.last_row == row_) return;
  found->second.last_row = row_;
  ++found->second.rows;
}

}  // namespace mozgach
