#include "common/json_text.h"

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

constexpr size_t kReasonBytes = 200;

template <typename Json>
absl::StatusOr<Json> Parse(std::string_view text) {
  RETURN_IF_ERROR(CheckJsonShape(text));
  try {
    return Json::parse(text);
  } catch (const typename Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 3, column 7: …"
    const bool one_line = text.find('\n') == std::string_view::npos;
    std::string_view what = error.what();
    const size_t place = what.find(one_line ? "column " : "line ");
    if (place != std::string_view::npos) what.remove_prefix(place);
    return absl::InvalidArgumentError(absl::StrCat("no JSON: ", Abbreviate(what, kReasonBytes)));
  }
}

}  // namespace

absl::Status CheckJsonShape(std::string_view text, int64_t values_max) {
  int depth = 0;
  int64_t values = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == ',' || c == ':') ++values;
    if (c == ']' || c == '}') --depth;
    if ((c == '[' || c == '{') && ++depth > kJsonDepthMax) {
      return absl::InvalidArgumentError(absl::StrCat("nested more than ", kJsonDepthMax, " deep"));
    }
  }
  if (values > values_max) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", values_max, " values"));
  }
  return absl::OkStatus();
}

absl::StatusOr<nlohmann::json> ParseJson(std::string_view text) {
  return Parse<nlohmann::json>(text);
}

absl::StatusOr<nlohmann::ordered_json> ParseOrderedJson(std::string_view text) {
  return Parse<nlohmann::ordered_json>(text);
}

int64_t WholeNumber(const nlohmann::json& value, int64_t least) {
  const bool fits = value.is_number_unsigned() ? value.get<uint64_t>() <= uint64_t{INT64_MAX}
                                               : value.is_number_integer();
  if (fits && value.get<int64_t>() >= least) return value.get<int64_t>();
  throw nlohmann::json::out_of_range::create(
      406,
      absl::StrCat("no whole number", least == 0 ? " from 0 on" : "", ": ",
                   Abbreviate(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                              kReasonBytes)),
      &value);
}

}  // namespace mozgach
