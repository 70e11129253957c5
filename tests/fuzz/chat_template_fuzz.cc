// Any bytes as a chat template, rendered over a conversation: it ends, and what people wrote is
// never taken for the template's own text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/dataset/dataset.h"
#include "nlohmann/json.hpp"
#include "trainer/chat/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string source(reinterpret_cast<const char*>(data), size);
  const auto chat_template = mozgach::ChatTemplate::FromSource(source, {{"bos_token", "<s>"}});
  if (!chat_template.ok()) return 0;
  const std::vector<mozgach::Message> messages = {{"system", "Be brief."},
                                                  {"user", " \u00E9\U0001F600{{ x }} "},
                                                  {"assistant", "<think>a</think>b"}};
  const auto segments = (*chat_template)->Render(messages, /*add_generation_prompt=*/true);
  if (segments.ok()) {
    for (const mozgach::Segment& segment : *segments) {
      if (segment.message < -1 || segment.message > 2) abort();
      // None of the template's functions makes this character.
      const bool written =
          source.find("\U0001F600") != std::string::npos || source.find('\\') != std::string::npos;
      if (!written && segment.message < 0 && segment.text.find("\U0001F600") != std::string::npos) {
        abort();
      }
    }
  }
  const nlohmann::ordered_json variables = {
      {"messages", {{{"role", "user"}, {"content", {{{"type", "text"}, {"text", "a"}}}}}}},
      {"tools", {{{"name", "f"}, {"n", 1.5}, {"l", {1, nullptr, true}}}}}};
  (void)(*chat_template)->RenderJson(variables);
  return 0;
}
