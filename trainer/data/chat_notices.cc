#include "trainer/data/chat_notices.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

std::string WithoutEndNotice(const Tokenizer& tokenizer) {
  const std::string what =
      "the chat template writes no token that ends an answer: the model does not learn from it "
      "where to stop; ";
  if (const auto eos = tokenizer.EosId()) {
    return absl::StrCat(what, "'", tokenizer.TokenText(*eos),
                        "' is added after the last answer of each row and trained");
  }
  return absl::StrCat(what,
                      "the base declares no eos_token to add either: set data.chat_template to "
                      "chatml, or name an eos_token in the base's tokenizer_config.json");
}

}  // namespace

std::vector<std::string> ChatNotices(const std::vector<Example>& examples, const DataReport& report,
                                     const Tokenizer& tokenizer) {
  std::vector<std::string> notices;
  const auto any = [&](bool Example::*flag) {
    return std::any_of(examples.begin(), examples.end(),
                       [flag](const Example& example) { return example.*flag; });
  };
  if (any(&Example::lacks_end)) {
    notices.push_back(WithoutEndNotice(tokenizer));
  } else if (any(&Example::lacks_eos)) {
    notices.push_back(
        "the base declares no eos_token: no row ends with one, and the model does not learn where "
        "to "
        "stop; name an eos_token in the base's tokenizer_config.json");
  }
  if (any(&Example::bare_turns)) {
    notices.push_back(
        "the base has no chat template: the turns of a conversation are joined by line breaks, "
        "without their roles; set data.chat_template to chatml, or to none to do without this "
        "notice");
  }
  if (report.answers_lost > 0) {
    notices.push_back(absl::StrCat("the chat template writes no answer for ", report.answers_lost,
                                   " of ", report.rows, " rows: they are dropped"));
  }
  return notices;
}

}  // namespace mozgach
