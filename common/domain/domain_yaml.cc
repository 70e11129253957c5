#include "common/domain/domain_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

constexpr char kTextTag[] = "tag:yaml.org,2002:str";

// Turns yaml-cpp's marks (0-based, columns in bytes) into places.
class Lines {
 public:
  explicit Lines(const std::string& text) : text_(text), starts_{0} {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }

  Place PlaceOf(const YAML::Mark& mark) const {
    if (mark.is_null()) return {1, 1};
    const size_t line = static_cast<size_t>(mark.line);
    if (line >= starts_.size()) return {mark.line + 1, mark.column + 1};
    int column = 1;
    for (int i = 0; i < mark.column && starts_[line] + i < text_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text_[starts_[line] + i]);
      if ((byte & 0xC0) != 0x80) ++column;
    }
    return {mark.line + 1, column};
  }

 private:
  const std::string& text_;
  std::vector<size_t> starts_;
};

// Builds the value from the parser's events.  Throws YAML::ParserException at what is refused.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const Lines& lines) : lines_(lines) {}

  SpecValue TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw YAML::ParserException(mark, "a second document starts here; a file holds one domain");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Close(Open(mark, "", anchor, SpecValue::Kind::kNull));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YAML::ParserException(mark, "aliases are not supported, write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const bool plain = tag.empty() || tag == "?";
    SpecValue value =
        Open(mark, tag, anchor, plain ? SpecValue::Kind::kPlain : SpecValue::Kind::kQuoted);
    if (plain && (text == "~" || text == "null" || text == "Null" || text == "NULL")) {
      value.kind = SpecValue::Kind::kNull;
    }
    value.text = text;
    Close(std::move(value));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    stack_.push_back({Open(mark, tag, anchor, SpecValue::Kind::kList)});
  }
  void OnSequenceEnd() override { CloseTop(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    stack_.push_back({Open(mark, tag, anchor, SpecValue::Kind::kMap)});
  }
  void OnMapEnd() override { CloseTop(); }

 private:
  struct Frame {
    SpecValue value;
    bool has_key = false;  // the last entry of a map waits for its value
  };

  SpecValue Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                 SpecValue::Kind kind) {
    if (anchor != 0) {
      throw YAML::ParserException(mark, "anchors are not supported, write the value out");
    }
    if (!tag.empty() && tag != "?" && tag != "!" && tag != kTextTag) {
      throw YAML::ParserException(mark, "tags are not supported, leave it out");
    }
    if (stack_.size() >= kMaxSpecDepth) throw YAML::ParserException(mark, "nested too deep");
    if (++values_ > kMaxSpecValues) throw YAML::ParserException(mark, "too many values");
    SpecValue value;
    value.kind = kind;
    value.place = lines_.PlaceOf(mark);
    value_mark_ = mark;
    return value;
  }

  void CloseTop() {
    SpecValue value = std::move(stack_.back().value);
    stack_.pop_back();
    Close(std::move(value));
  }

  void Close(SpecValue value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& parent = stack_.back();
    if (parent.value.kind == SpecValue::Kind::kList) {
      parent.value.items.push_back(std::move(value));
    } else if (parent.has_key) {
      parent.value.entries.back().value = std::move(value);
      parent.has_key = false;
    } else {
      if (!value.IsScalar()) throw YAML::ParserException(value_mark_, "a key must be text");
      parent.value.entries.push_back({std::move(value.text), value.place, {}});
      parent.has_key = true;
    }
  }

  const Lines& lines_;
  std::vector<Frame> stack_;
  SpecValue root_;
  YAML::Mark value_mark_ = YAML::Mark::null_mark();
  int documents_ = 0;
  int values_ = 0;
};

// The parser's words for the commonest mistakes are not those of a person who types YAML.
std::string Explain(const YAML::Exception& error, const std::string& text) {
  const size_t at = std::min(static_cast<size_t>(std::max(0, error.mark.pos)), text.size());
  const size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const size_t start = before == std::string::npos ? 0 : before + 1;
  const size_t indented_to = std::min(text.find_first_not_of(" \t", start), text.size());
  if (text.substr(start, indented_to - start).find('\t') != std::string::npos) {
    return "a tab in the indentation; YAML wants spaces";
  }
  return error.msg;
}

}  // namespace

SpecValue ReadYaml(const std::string& text, Problems* problems) {
  if (text.size() > kMaxSpecBytes) {
    problems->Add({}, absl::StrCat("the file has ", text.size(), " bytes, a domain file at most ",
                                   kMaxSpecBytes));
    return {};
  }
  const Lines lines(text);
  const size_t invalid = FirstInvalidUtf8(text);
  if (invalid != std::string::npos || text.find('\0') != std::string::npos) {
    problems->Add({}, "this is not UTF-8 text; a domain file is YAML, saved as UTF-8");
    return {};
  }
  Builder builder(lines);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    problems->Add(lines.PlaceOf(error.mark), Explain(error, text));
    return {};
  } catch (const std::exception& error) {
    problems->Add({}, absl::StrCat("this cannot be read as YAML: ", error.what()));
    return {};
  }
  return builder.TakeRoot();
}

}  // namespace mozgach
