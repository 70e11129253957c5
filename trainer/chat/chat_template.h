// A ChatTemplate renders a conversation as the base was trained to read it.
//
// Templates are Jinja, as published in tokenizer_config.json ("chat_template", one or a list) or
// chat_template.jinja, interpreted here as transformers does (trim_blocks, lstrip_blocks, sandboxed
// and bounded).  Strings remember which message they came from, so that what people wrote is never
// parsed for special tokens and the loss mask is made from segments, not from prefixes.
//
// What a template gets: the variables of apply_chat_template (messages, add_generation_prompt,
// tools and documents as none, bos_token and the other special tokens of the base).
// strftime_now() gives 26 Jul 2024 always, the day that Llama 3's templates fall back to: an
// adapter must not depend on the day it was trained. Immutable after loading; safe from any thread.
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

// A stretch of rendered text of one origin.
struct Segment {
  std::string text;
  int message = -1;  // index of the message whose content it is; -1: the template's own text
};

class ChatTemplate {
 public:
  // `choice` is data.chat_template: "auto" (the base's own, chat_template.jinja before
  // tokenizer_config.json; null where it has none), "chatml", "none" (null).  INVALID_ARGUMENT for
  // another choice and for a template that we cannot read: "path: line N: what".
  static absl::StatusOr<std::shared_ptr<const ChatTemplate>> Load(
      const std::filesystem::path& base_dir, const std::string& choice);

  // `special_tokens` are variables: {"bos_token": "<s>"}.
  static absl::StatusOr<std::shared_ptr<const ChatTemplate>> FromSource(
      const std::string& source, const std::map<std::string, std::string>& special_tokens = {});

  virtual ~ChatTemplate() = default;

  // Adjacent segments of one origin are joined; joined together they are what transformers'
  // apply_chat_template gives.  INVALID_ARGUMENT carries the template's raise_exception text or the
  // construct that is not supported.
  virtual absl::StatusOr<std::vector<Segment>> Render(const std::vector<Message>& messages,
                                                      bool add_generation_prompt) const = 0;

  // For `mozgach-trainer render`: an object with whatever the template may ask for (messages,
  // tools, enable_thinking, …); its keys keep their order, which tojson shows.
  virtual absl::StatusOr<std::string> RenderJson(const nlohmann::ordered_json& variables) const = 0;
};

}  // namespace mozgach
