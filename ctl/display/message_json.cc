#include "ctl/display/message_json.h"

#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/json_text.h"

namespace mozgach {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using nlohmann::ordered_json;

constexpr char kJsonSuffix[] = "_json";

ordered_json ParseText(const std::string& text) {
  if (text.empty()) return ordered_json::object();
  const absl::StatusOr<ordered_json> parsed = ParseOrderedJson(text);
  return parsed.ok() ? *parsed : ordered_json(text);
}

bool HoldsJson(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field.is_repeated() &&
         absl::EndsWith(field.name(), kJsonSuffix);
}

ordered_json SingleValue(const google::protobuf::Message& message, const FieldDescriptor* field) {
  const Reflection& r = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return r.GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return r.GetInt64(message, field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return r.GetUInt32(message, field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return r.GetUInt64(message, field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return r.GetDouble(message, field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return r.GetFloat(message, field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return r.GetBool(message, field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::AsciiStrToLower(r.GetEnum(message, field)->name());
    case FieldDescriptor::CPPTYPE_STRING:
      return r.GetString(message, field);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(r.GetMessage(message, field));
  }
  return nullptr;
}

ordered_json RepeatedValue(const google::protobuf::Message& message, const FieldDescriptor* field,
                           int i) {
  const Reflection& r = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return r.GetRepeatedInt64(message, field, i);
    case FieldDescriptor::CPPTYPE_STRING:
      return r.GetRepeatedString(message, field, i);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(r.GetRepeatedMessage(message, field, i));
    default:
      return nullptr;  // no message has other lists
  }
}

ordered_json FieldValue(const google::protobuf::Message& message, const FieldDescriptor* field) {
  const Reflection& r = *message.GetReflection();
  if (HoldsJson(*field)) return ParseText(r.GetString(message, field));
  if (field->is_map()) {
    nlohmann::json object = nlohmann::json::object();  // sorted, because a proto map is unordered
    for (int i = 0; i < r.FieldSize(message, field); ++i) {
      const ordered_json entry = ToJson(r.GetRepeatedMessage(message, field, i));
      object[entry["key"].get<std::string>()] = entry["value"];
    }
    return ordered_json(object);
  }
  if (field->is_repeated()) {
    ordered_json list = ordered_json::array();
    for (int i = 0; i < r.FieldSize(message, field); ++i) {
      list.push_back(RepeatedValue(message, field, i));
    }
    return list;
  }
  if (field->has_presence() && !r.HasField(message, field)) return nullptr;
  return SingleValue(message, field);
}

}  // namespace

ordered_json ToJson(const google::protobuf::Message& message) {
  ordered_json object = ordered_json::object();
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    std::string name = field->name();
    if (HoldsJson(*field)) name.resize(name.size() - (sizeof(kJsonSuffix) - 1));
    object[name] = FieldValue(message, field);
  }
  return object;
}

std::string DumpLine(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void PrintJson(const ordered_json& json) {
  const std::string text = json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
}

}  // namespace mozgach
