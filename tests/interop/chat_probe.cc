// chat_probe: renders templates for tests, one JSON object per line.
//
//   {"source": "{{ … }}", "variables": {"messages": […]}} → {"text": "…"} or {"error": "…"}
#include <iostream>
#include <string>

#include "nlohmann/json.hpp"
#include "trainer/chat/chat_template.h"

namespace mozgach {
namespace {

using Json = nlohmann::ordered_json;

absl::StatusOr<std::string> Render(const Json& asked) {
  ASSIGN_OR_RETURN(const auto chat_template,
                   ChatTemplate::FromSource(asked.at("source").get<std::string>()));
  return chat_template->RenderJson(asked.at("variables"));
}

void Run() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const absl::StatusOr<std::string> text = Render(Json::parse(line));
    Json answer;
    if (text.ok()) {
      answer["text"] = *text;
    } else {
      answer["error"] = std::string(text.status().message());
    }
    std::cout << answer.dump() << "\n";
  }
}

}  // namespace
}  // namespace mozgach

int main() {
  std::ios::sync_with_stdio(false);
  mozgach::Run();
  return 0;
}
