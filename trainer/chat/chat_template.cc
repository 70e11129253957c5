#include "trainer/chat/chat_template.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"
#include "trainer/chat/jinja/interpreter.h"
#include "trainer/chat/jinja/syntax/parser.h"
#include "trainer/chat/template_files.h"

namespace mozgach {
namespace {
using jinja::Budget;
using jinja::Interpreter;
using jinja::Text;
using jinja::Value;

constexpr char kChatMl[] =
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

class JinjaTemplate : public ChatTemplate {
 public:
  JinjaTemplate(jinja::Body body, std::map<std::string, std::string> special_tokens)
      : body_(std::move(body)), special_tokens_(std::move(special_tokens)) {}

  absl::StatusOr<std::vector<Segment>> Render(const std::vector<Message>& messages,
                                              bool add_generation_prompt) const override {
    Budget budget;
    ASSIGN_OR_RETURN(Value list, ListOf(messages, &budget));
    Interpreter interpreter(&budget);
    DefineDefaults(&interpreter);
    interpreter.Define("messages", std::move(list));
    interpreter.Define("add_generation_prompt", Value{add_generation_prompt});
    ASSIGN_OR_RETURN(const Text text, interpreter.Run(body_));
    return SegmentsOf(text);
  }

  absl::StatusOr<std::string> RenderJson(const nlohmann::ordered_json& variables) const override {
    if (!variables.is_object()) {
      return absl::InvalidArgumentError("the variables of a template are one JSON object");
    }
    Budget budget;
    Interpreter interpreter(&budget);
    DefineDefaults(&interpreter);
    for (const auto& [name, json] : variables.items()) {
      ASSIGN_OR_RETURN(Value value, jinja::FromJson(json, &budget));
      interpreter.Define(name, std::move(value));
    }
    ASSIGN_OR_RETURN(const Text text, interpreter.Run(body_));
    return text.bytes();
  }

 private:
  void DefineDefaults(Interpreter* interpreter) const {
    for (const auto& [name, token] : special_tokens_) {
      interpreter->Define(name, Value::OfText(Text(token)));
    }
    interpreter->Define("tools", Value{jinja::None{}});
    interpreter->Define("documents", Value{jinja::None{}});
    interpreter->Define("add_generation_prompt", Value{false});
  }

  static absl::StatusOr<Value> ListOf(const std::vector<Message>& messages, Budget* budget) {
    std::vector<Value> values;
    for (size_t i = 0; i < messages.size(); ++i) {
      const Message& message = messages[i];
      RETURN_IF_ERROR(budget->Spend(message.content.size()));
      Text content(message.content, static_cast<int>(i));
      ASSIGN_OR_RETURN(Value value, jinja::MakeMap({{"role", Value::OfText(Text(message.role))},
                                                    {"content", Value::OfText(std::move(content))}},
                                                   budget));
      values.push_back(std::move(value));
    }
    return jinja::MakeList(std::move(values), budget);
  }

  static std::vector<Segment> SegmentsOf(const Text& text) {
    std::vector<Segment> segments;
    size_t begin = 0;
    for (const Text::Run& run : text.runs()) {
      segments.push_back({text.bytes().substr(begin, run.end - begin), run.origin});
      begin = run.end;
    }
    return segments;
  }

  const jinja::Body body_;
  const std::map<std::string, std::string> special_tokens_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const ChatTemplate>> ChatTemplate::FromSource(
    const std::string& source, const std::map<std::string, std::string>& special_tokens) {
  ASSIGN_OR_RETURN(jinja::Body body, jinja::Parse(source));
  return std::make_shared<const JinjaTemplate>(std::move(body), special_tokens);
}

absl::StatusOr<std::shared_ptr<const ChatTemplate>> ChatTemplate::Load(
    const std::filesystem::path& base_dir, const std::string& choice) {
  if (choice == "none") return nullptr;
  if (choice == "chatml") return FromSource(kChatMl);
  if (choice != "auto") {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown chat template '", Abbreviate(choice, 40),
                     "': auto (the base's own), chatml and none are known"));
  }
  ASSIGN_OR_RETURN(const TemplateFiles files, ReadTemplateFiles(base_dir));
  if (!files.source) return nullptr;
  auto loaded = FromSource(*files.source, files.special_tokens);
  if (!loaded.ok()) return Annotate(loaded.status(), files.path);
  return loaded;
}

}  // namespace mozgach
