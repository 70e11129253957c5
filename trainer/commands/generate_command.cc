#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/dataset/dataset.h"
#include "common/files.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "trainer/chat/chat_template.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/model_flags.h"
#include "trainer/data/token_ids.h"
#include "trainer/data/turn_ends.h"
#include "trainer/models/generation.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMessagesLimit = 64 << 20;

struct GenerateFlags {
  ModelFlags model;
  std::string prompt;
  std::string messages;
  GenerationOptions options;
};

absl::StatusOr<std::string> ReadInput(const std::string& file) {
  return ReadFile(file == "-" ? "/dev/stdin" : file, kMessagesLimit);
}

// [{"role", "content"}, …], or {"messages": [ … ]}.
absl::StatusOr<std::vector<Message>> ReadMessages(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadInput(file));
  const absl::StatusOr<Json> parsed = ParseJson(text);
  if (!parsed.ok()) return Annotate(parsed.status(), file);
  const Json& json = *parsed;
  const bool wrapped = json.is_object() && json.contains("messages");
  const Json& list = wrapped ? json["messages"] : json;
  std::vector<Message> messages;
  try {
    if (!list.is_array() || list.empty()) throw std::invalid_argument("there is no list");
    for (const Json& message : list) {
      messages.push_back({message.at("role"), message.at("content")});
    }
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": expected a JSON list of {\"role\", \"content\"}: ", error.what()));
  }
  return messages;
}

struct Prompt {
  std::vector<int32_t> ids;
  std::vector<int32_t> stop_ids;
};

absl::StatusOr<Prompt> ChatPrompt(const Base& base, const std::string& file) {
  ASSIGN_OR_RETURN(const auto messages, ReadMessages(file));
  ASSIGN_OR_RETURN(const auto chat_template, ChatTemplate::Load(base.dir, "auto"));
  if (chat_template == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(base.dir.string(), " has no chat template; --prompt continues plain text"));
  }
  ASSIGN_OR_RETURN(const auto segments,
                   chat_template->Render(messages, /*add_generation_prompt=*/true));
  std::vector<Tokenizer::Piece> pieces;
  for (const Segment& segment : segments) {
    pieces.push_back(
        {segment.text, segment.message < 0 ? SpecialTokens::kParse : SpecialTokens::kAsText});
  }
  const TurnEnds turn_ends(*base.tokenizer, chat_template.get());
  Prompt prompt;
  std::vector<int32_t> piece_of_token;
  RETURN_IF_ERROR(
      base.tokenizer->EncodePieces(pieces, turn_ends.markers(), &prompt.ids, &piece_of_token));
  prompt.stop_ids = turn_ends.stop_ids();
  return prompt;
}

absl::StatusOr<Prompt> PlainPrompt(const Base& base, const std::string& text) {
  Prompt prompt;
  RETURN_IF_ERROR(base.tokenizer->Encode(text, SpecialTokens::kParse, &prompt.ids));
  prompt.stop_ids = base.tokenizer->StopIds();
  return prompt;
}

absl::StatusOr<Prompt> MakePrompt(const Base& base, const GenerateFlags& flags) {
  const bool plain = flags.messages.empty();
  ASSIGN_OR_RETURN(Prompt prompt,
                   plain ? PlainPrompt(base, flags.prompt) : ChatPrompt(base, flags.messages));
  const auto bos = base.tokenizer->BosToPrepend();
  if (bos && (prompt.ids.empty() || prompt.ids.front() != *bos)) {
    prompt.ids.insert(prompt.ids.begin(), *bos);
  }
  const absl::Status known = CheckIds(prompt.ids, base.model->config().vocab_size, *base.tokenizer);
  if (!known.ok()) return Annotate(known, plain ? "--prompt" : flags.messages);
  return prompt;
}

absl::Status RunGenerate(const GenerateFlags& flags) {
  ASSIGN_OR_RETURN(const LoadedModel loaded, LoadModel(flags.model));
  const Base& base = *loaded.base;
  ASSIGN_OR_RETURN(const Prompt prompt, MakePrompt(base, flags));
  GenerationOptions options = flags.options;
  options.stop_ids = prompt.stop_ids;
  ASSIGN_OR_RETURN(const auto answers,
                   Generate(*base.model, loaded.Adapter(), {prompt.ids}, options));
  std::cout << base.tokenizer->Decode(answers.front(), /*skip_special=*/true) << std::endl;
  return absl::OkStatus();
}

}  // namespace

void AddGenerateCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<GenerateFlags>();
  CLI::App* generate = app.add_subcommand("generate", "continue a text or a conversation");
  AddModelFlags(*generate, &flags->model);
  auto* source = generate->add_option_group("what to continue");
  source->add_option("--prompt", flags->prompt, "plain text, continued as it is");
  source->add_option(
      "--messages", flags->messages,
      "JSON file or - for stdin: a list of {\"role\", \"content\"}, through the chat template");
  source->require_option(1);
  generate->add_option("--max-new-tokens", flags->options.max_new_tokens, "default 256")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 20));
  generate
      ->add_option("--temperature", flags->options.temperature, "default 0: the likeliest token")
      ->check(CLI::Range(0.0, 100.0));
  generate->add_option("--seed", flags->options.seed, "of the draws, with a temperature");
  generate->callback([=] { *command = [flags] { return RunGenerate(*flags); }; });
}

}  // namespace mozgach
