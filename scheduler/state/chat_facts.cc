#include "scheduler/state/chat_facts.h"

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

constexpr size_t kErrorBytesMax = 4096;
constexpr size_t kErrorBytesShown = 500;

}  // namespace

absl::Status CheckChatFacts(const v1::ChatFacts& facts) {
  if (facts.error().size() <= kErrorBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the error of a chat template is longer than ", kErrorBytesMax, " bytes"));
}

nlohmann::json ChatFactsJson(const v1::ChatFacts& facts) {
  return {{"has_template", facts.has_template()},
          {"drops_answers", facts.drops_answers()},
          {"has_no_end_token", facts.has_no_end_token()},
          {"error", facts.error()}};
}

bool ReadChatFacts(const nlohmann::json& json, v1::ChatFacts* facts) {
  if (!json.is_object()) return false;
  const auto flag = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_boolean() && found->get<bool>();
  };
  facts->set_has_template(flag("has_template"));
  facts->set_drops_answers(flag("drops_answers"));
  facts->set_has_no_end_token(flag("has_no_end_token"));
  const auto error = json.find("error");
  if (error != json.end() && error->is_string()) facts->set_error(error->get<std::string>());
  return true;
}

bool SameChatFacts(const v1::ChatFacts& a, const v1::ChatFacts& b) {
  return a.has_template() == b.has_template() && a.drops_answers() == b.drops_answers() &&
         a.has_no_end_token() == b.has_no_end_token() && a.error() == b.error();
}

std::vector<std::string> ChatSentences(const std::string& base, const v1::ChatFacts& facts) {
  if (!facts.error().empty()) {
    return {absl::StrCat("the chat template of base ", base,
                         " cannot be used: ", Abbreviate(facts.error(), kErrorBytesShown),
                         "; set data.chat_template to chatml or none, or use another base")};
  }
  if (!facts.has_template()) {
    return {absl::StrCat("base ", base,
                         " has no chat template: the turns of a conversation are "
                         "joined by line breaks, without their roles; set data.chat_template to "
                         "chatml, or to none to do without this notice")};
  }
  if (facts.drops_answers()) {
    return {absl::StrCat("the chat template of base ", base,
                         " writes no answer: conversations "
                         "cannot be trained with it, and the job will fail; set "
                         "data.chat_template to chatml or none, or use another base")};
  }
  if (facts.has_no_end_token()) {
    return {absl::StrCat("the chat template of base ", base,
                         " writes no token that ends an answer: "
                         "EOS is added after the last answer of each row and trained")};
  }
  return {};
}

}  // namespace mozgach
