#include "trainer/commands/render_command.h"

#include <istream>
#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"
#include "trainer/chat/chat_template.h"

namespace mozgach {
namespace {
using OrderedJson = nlohmann::ordered_json;

absl::StatusOr<std::string> RenderLine(const ChatTemplate& chat_template, const std::string& line) {
  if (FirstInvalidUtf8(line) != std::string_view::npos) {
    return absl::InvalidArgumentError("the line is not UTF-8");
  }
  const absl::StatusOr<OrderedJson> variables = ParseOrderedJson(line);
  if (!variables.ok() || !variables->is_object() || !variables->contains("messages")) {
    return absl::InvalidArgumentError(
        "expected a JSON object, such as {\"messages\": [{\"role\": \"user\", \"content\": "
        "\"Hello\"}]}");
  }
  return chat_template.RenderJson(*variables);
}

}  // namespace

absl::Status RunRender(const std::filesystem::path& base_dir, std::istream& in, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const ChatTemplate> chat_template,
                   ChatTemplate::Load(base_dir, "auto"));
  if (chat_template == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(base_dir.string(),
                     ": the base has no chat template: there is neither a "
                     "chat_template.jinja nor a chat_template in tokenizer_config.json"));
  }
  std::string line;
  while (std::getline(in, line)) {
    const absl::StatusOr<std::string> text = RenderLine(*chat_template, line);
    OrderedJson answer;
    if (text.ok()) {
      answer = *text;
    } else {
      answer["error"] = std::string(text.status().message());
    }
    out << answer.dump() << std::endl;
    if (!out) return absl::UnavailableError("the output cannot be written");
  }
  return absl::OkStatus();
}

}  // namespace mozgach
