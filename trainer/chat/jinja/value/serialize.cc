#include "trainer/chat/jinja/value/serialize.h"

#include <charconv>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/value/characters.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

// Returns the shortest decimal that parses to `number`, formatted as by Python's repr().
std::string FloatText(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char buffer[64];
  const double size = std::fabs(number);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number, format).ptr;
  std::string text(buffer, end);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

// Returns the escape of one character between quotes; empty: not escaped.
using Escape = std::string (*)(char32_t character, char quote);

std::string JsonEscape(char32_t c, char) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    default:
      break;
  }
  if (c >= 0x20) return "";
  return absl::StrCat("\\u", absl::Hex(static_cast<uint32_t>(c), absl::kZeroPad4));
}

std::string PythonEscape(char32_t c, char quote) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (c == '\\' || c == static_cast<char32_t>(quote)) return {'\\', static_cast<char>(c)};
  if (IsPrintable(c)) return "";
  const auto code = static_cast<uint32_t>(c);
  if (c <= 0xFF) return absl::StrCat("\\x", absl::Hex(code, absl::kZeroPad2));
  if (c <= 0xFFFF) return absl::StrCat("\\u", absl::Hex(code, absl::kZeroPad4));
  return absl::StrCat("\\U", absl::Hex(code, absl::kZeroPad8));
}

class Writer {
 public:
  Writer(bool json, std::optional<int64_t> indent, Budget* budget)
      : json_(json), indent_(indent), budget_(budget) {}

  absl::Status Write(const Value& value, int64_t level) {
    RETURN_IF_ERROR(budget_->Spend());
    if (const Text* text = value.text()) return WriteText(*text);
    if (const List* list = value.list()) return WriteList(*list, level);
    if (const Map* map = value.map()) return WriteMap(*map, level);
    ASSIGN_OR_RETURN(const std::string word, Word(value));
    Put(word);
    return absl::OkStatus();
  }

  Text Take() { return std::move(out_); }

 private:
  void Put(std::string_view bytes) { out_.Append(bytes, kTemplateOrigin); }

  absl::StatusOr<std::string> Word(const Value& value) const {
    if (value.IsNone()) return std::string(json_ ? "null" : "None");
    if (const auto* boolean = value.As<bool>()) {
      if (json_) return std::string(*boolean ? "true" : "false");
      return std::string(*boolean ? "True" : "False");
    }
    if (const auto* integer = value.As<int64_t>()) return absl::StrCat(*integer);
    if (const auto* number = value.As<double>()) {
      if (!json_ || std::isfinite(*number)) return FloatText(*number);
      return std::string(std::isnan(*number) ? "NaN" : *number < 0 ? "-Infinity" : "Infinity");
    }
    if (value.IsUndefined() && !json_) return std::string("Undefined");
    return Unsupported(absl::StrCat("writing ", KindName(value), " as text"));
  }

  absl::Status WriteText(const Text& text) {
    const std::string& bytes = text.bytes();
    RETURN_IF_ERROR(budget_->Spend(2 * bytes.size()));
    if (text.markup() && !json_) return Unsupported("a list of strings marked 'safe', as text");
    const bool single =
        !json_ && (bytes.find('\'') == std::string::npos || bytes.find('"') != std::string::npos);
    const char quote = single ? '\'' : '"';
    const Escape escape = json_ ? JsonEscape : PythonEscape;
    Put(std::string_view(&quote, 1));
    size_t offset = 0;
    for (const Text::Run& run : text.runs()) {
      for (size_t begin = offset; offset < run.end; begin = offset) {
        std::string escaped;
        size_t end = begin;  // end of the text that needs no escape
        while (offset < run.end && escaped.empty()) {
          end = offset;
          escaped = escape(NextCodePoint(bytes, &offset), quote);
        }
        if (escaped.empty()) end = offset;
        out_.Append(std::string_view(bytes).substr(begin, end - begin), run.origin);
        out_.Append(escaped, run.origin);
      }
    }
    Put(std::string_view(&quote, 1));
    return absl::OkStatus();
  }

  absl::Status BeginItem(bool first, int64_t level) {
    if (!first) Put(indent_ ? "," : ", ");
    return Break(level);
  }

  absl::Status Break(int64_t level) {
    if (!indent_) return absl::OkStatus();
    std::string line(1 + static_cast<size_t>(*indent_ * level), ' ');
    line[0] = '\n';
    RETURN_IF_ERROR(budget_->Spend(line.size()));
    Put(line);
    return absl::OkStatus();
  }

  absl::Status WriteList(const List& list, int64_t level) {
    if (list.kind > ListKind::kTuple) {
      return Unsupported("writing a range, keys(), values() or items() as text");
    }
    const bool tuple = list.kind == ListKind::kTuple && !json_;
    Put(tuple ? "(" : "[");
    for (size_t i = 0; i < list.items.size(); ++i) {
      RETURN_IF_ERROR(BeginItem(i == 0, level + 1));
      RETURN_IF_ERROR(Write(list.items[i], level + 1));
    }
    if (!list.items.empty()) RETURN_IF_ERROR(Break(level));
    if (tuple && list.items.size() == 1) Put(",");
    Put(tuple ? ")" : "]");
    return absl::OkStatus();
  }

  absl::Status WriteMap(const Map& map, int64_t level) {
    Put("{");
    bool first = true;
    for (const auto& [key, value] : map.entries) {
      RETURN_IF_ERROR(BeginItem(first, level + 1));
      RETURN_IF_ERROR(WriteText(Text(key)));
      Put(": ");
      RETURN_IF_ERROR(Write(value, level + 1));
      first = false;
    }
    if (!first) RETURN_IF_ERROR(Break(level));
    Put("}");
    return absl::OkStatus();
  }

  const bool json_;
  const std::optional<int64_t> indent_;
  Budget* const budget_;
  Text out_;
};

}  // namespace

absl::StatusOr<Text> ToText(const Value& value, Budget* budget) {
  if (const Text* text = value.text()) {
    RETURN_IF_ERROR(budget->Spend(text->size()));
    return *text;
  }
  if (value.IsUndefined()) return Text();
  Writer writer(/*json=*/false, std::nullopt, budget);
  RETURN_IF_ERROR(writer.Write(value, 0));
  return writer.Take();
}

absl::StatusOr<Text> ToJsonText(const Value& value, std::optional<int64_t> indent, Budget* budget) {
  if (indent && *indent > 100) return Unsupported("an indent above 100");
  if (indent && *indent < 0) indent = 0;
  Writer writer(/*json=*/true, indent, budget);
  RETURN_IF_ERROR(writer.Write(value, 0));
  return writer.Take();
}

}  // namespace mozgach::jinja
