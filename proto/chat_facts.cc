#include "proto/chat_facts.h"

namespace mozgach {

v1::ChatFacts ToChatFacts(const ChatReport& report) {
  v1::ChatFacts facts;
  facts.set_has_template(report.has_template);
  facts.set_drops_answers(report.drops_answers);
  facts.set_has_no_end_token(report.has_no_end_token);
  facts.set_error(report.error);
  return facts;
}

}  // namespace mozgach
