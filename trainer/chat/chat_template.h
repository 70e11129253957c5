// A ChatTemplate renders a conversation in the format that the base was trained on.
//
// Templates are written in Jinja and published in tokenizer_config.json ("chat_template", one or a
// list) or chat_template.jinja. They are interpreted as in transformers (trim_blocks,
// lstrip_blocks, sandboxed), within a bounded budget. Strings remember which message they came
// from. So text by users is never parsed for special tokens, and the loss mask is computed from
// segments, not from prefixes.
//
// A template gets the variables of apply_chat_template: messages, add_generation_prompt, tools and
// documents (none), bos_token and the other special tokens of the base. strftime_now() always
// returns 26 Jul 2024, the default date of Llama 3's templates: an adapter must not depend on the
// day of its training. Immutable after loading; thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/dataset/dataset.h"
#include "common/status.h"
#include "nlohmann/json_fwd.hpp"

namespace mozgach {

// A part of the rendered text with one origin.
struct Segment {
  std::string text;
  int message = -1;  // index of the message that the text is from; -1: the template
};

class ChatTemplate {
 public:
  // `choice` is data.chat_template: "auto", "chatml" or "none". "auto" is the base's own template,
  // from chat_template.jinja if it exists, else from tokenizer_config.json. Returns null for
  // "none", and for "auto" if the base has no template. INVALID_ARGUMENT for another choice and, as
  // "path: line N: what", for a template that cannot be parsed.
  static absl::StatusOr<std::shared_ptr<const ChatTemplate>> Load(
      const std::filesystem::path& base_dir, const std::string& choice);

  // `special_tokens` become variables: {"bos_token": "<s>"}.
  static absl::StatusOr<std::shared_ptr<const ChatTemplate>> FromSource(
      const std::string& source, const std::map<std::string, std::string>& special_tokens = {});

  virtual ~ChatTemplate() = default;

  // Adjacent segments have different origins. Their concatenation equals the result of
  // transformers' apply_chat_template. INVALID_ARGUMENT has the text of the template's
  // raise_exception, or names the unsupported construct.
  virtual absl::StatusOr<std::vector<Segment>> Render(const std::vector<Message>& messages,
                                                      bool add_generation_prompt) const = 0;

  // For `mozgach-trainer render`: `variables` is an object with any variables of the template
  // (messages, tools, enable_thinking, …). Its keys keep their order, which is visible in tojson.
  virtual absl::StatusOr<std::string> RenderJson(const nlohmann::ordered_json& variables) const = 0;
};

}  // namespace mozgach
