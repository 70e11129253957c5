#include "common/domain/spec_value.h"

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

constexpr size_t kMaxQuotedBytes = 80;

bool LooksLikeNumber(const std::string& text) {
  return text.size() < kMaxQuotedBytes && text.find_first_of("0123456789") != std::string::npos &&
         text.find_first_not_of("0123456789+-.eE") == std::string::npos;
}

class JsonConverter {
 public:
  absl::Status Convert(const nlohmann::json& json, int depth, SpecValue* value) {
    if (depth > kMaxSpecDepth) {
      return absl::InvalidArgumentError(
          absl::StrCat("the spec is nested deeper than ", kMaxSpecDepth));
    }
    if (++values_ > kMaxSpecValues) {
      return absl::InvalidArgumentError(
          absl::StrCat("the spec holds more than ", kMaxSpecValues, " values"));
    }
    if (json.is_array()) return ConvertList(json, depth, value);
    if (json.is_object()) return ConvertMap(json, depth, value);
    if (json.is_string()) return ConvertText(json, value);
    if (json.is_null()) return absl::OkStatus();
    value->kind = SpecValue::Kind::kPlain;
    value->text = json.is_binary() ? "binary" : json.dump();
    return absl::OkStatus();
  }

 private:
  absl::Status ConvertList(const nlohmann::json& json, int depth, SpecValue* value) {
    value->kind = SpecValue::Kind::kList;
    for (const nlohmann::json& item : json) {
      RETURN_IF_ERROR(Convert(item, depth + 1, &value->items.emplace_back()));
    }
    return absl::OkStatus();
  }

  absl::Status ConvertMap(const nlohmann::json& json, int depth, SpecValue* value) {
    value->kind = SpecValue::Kind::kMap;
    for (const auto& [key, item] : json.items()) {
      SpecValue::Entry& entry = value->entries.emplace_back();
      RETURN_IF_ERROR(CheckUtf8(key));
      entry.key = key;
      RETURN_IF_ERROR(Convert(item, depth + 1, &entry.value));
    }
    return absl::OkStatus();
  }

  absl::Status ConvertText(const nlohmann::json& json, SpecValue* value) {
    const std::string& text = json.get_ref<const std::string&>();
    RETURN_IF_ERROR(CheckUtf8(text));
    value->kind = SpecValue::Kind::kQuoted;
    value->text = text;
    return absl::OkStatus();
  }

  absl::Status CheckUtf8(const std::string& text) {
    if (FirstInvalidUtf8(text) == std::string::npos) return absl::OkStatus();
    return absl::InvalidArgumentError("the spec holds text that is not UTF-8");
  }

  int values_ = 0;
};

}  // namespace

const SpecValue* SpecValue::Find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

absl::StatusOr<SpecValue> SpecValueFromJson(const nlohmann::json& json) {
  SpecValue value;
  RETURN_IF_ERROR(JsonConverter().Convert(json, 0, &value));
  return value;
}

std::string Quoted(std::string_view text) {
  std::string shown = "'";
  for (size_t offset = 0; offset < text.size() && shown.size() <= kMaxQuotedBytes;) {
    const char32_t code_point = NextCodePoint(text, &offset);
    const bool control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
    AppendUtf8(control ? U'\uFFFD' : code_point, &shown);
    if (shown.size() > kMaxQuotedBytes && offset < text.size()) shown += "…";
  }
  return shown + "'";
}

std::string Describe(const SpecValue& value) {
  switch (value.kind) {
    case SpecValue::Kind::kNull:
      return "nothing";
    case SpecValue::Kind::kList:
      return "a list";
    case SpecValue::Kind::kMap:
      return "a map of keys";
    case SpecValue::Kind::kPlain:
      return LooksLikeNumber(value.text) ? value.text : Quoted(value.text);
    default:
      return absl::StrCat(LooksLikeNumber(value.text) ? "the text " : "", Quoted(value.text));
  }
}

}  // namespace mozgach
