#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/model_flags.h"
#include "trainer/train/cross_entropy.h"

namespace mozgach {
namespace {

struct ScoreFlags {
  ModelFlags model;
  std::vector<int64_t> tokens;
  std::string logits;
};

absl::Status CheckTokens(const std::vector<int64_t>& tokens, const ModelConfig& config) {
  if (tokens.empty()) return absl::InvalidArgumentError("--tokens: there are none");
  for (const int64_t token : tokens) {
    if (token >= 0 && token < config.vocab_size) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--tokens: ", token, " is not a token of this base; they go from 0 to ",
                     config.vocab_size - 1));
  }
  return absl::OkStatus();
}

// {"nll": [one per predicted token], "mean_nll": their mean, null where there is none}.
nlohmann::json NllJson(const at::Tensor& nll) {
  const at::Tensor values = nll.to(at::kDouble).to(at::kCPU).contiguous();
  const double* begin = values.const_data_ptr<double>();
  nlohmann::json json = {{"nll", std::vector<double>(begin, begin + values.size(0))},
                         {"mean_nll", nullptr}};
  if (values.size(0) > 0) json["mean_nll"] = values.mean().item<double>();
  return json;
}

absl::Status RunScore(const ScoreFlags& flags) {
  ASSIGN_OR_RETURN(const LoadedModel loaded, LoadModel(flags.model));
  const CausalLm& model = *loaded.base->model;
  RETURN_IF_ERROR(CheckTokens(flags.tokens, model.config()));
  const at::NoGradGuard no_grad;
  if (static_cast<int64_t>(flags.tokens.size()) > model.longest_text()) {
    std::cerr << "warning: " << flags.tokens.size() << " tokens; this base is made for "
              << model.longest_text() << "\n";
  }
  const auto count = static_cast<int64_t>(flags.tokens.size());
  const at::Tensor ids = at::tensor(flags.tokens, at::kLong).to(model.device());
  ForwardOptions options;
  options.adapter = loaded.Adapter();
  const at::Tensor hidden = model.Forward({ids, {0, count}}, options);
  if (!flags.logits.empty()) {
    RETURN_IF_ERROR(WriteSafetensors(flags.logits, {{"logits", model.Logits(hidden)}}, {}));
  }
  const at::Tensor nll =
      TokenNll(hidden.narrow(0, 0, count - 1), model.head(), ids.narrow(0, 1, count - 1));
  if (!std::isfinite(nll.sum(at::kDouble).item<double>())) {
    return absl::OutOfRangeError(
        "the loss is not finite; are the weights of the base and of the adapter whole?");
  }
  std::cout << NllJson(nll) << std::endl;
  return absl::OkStatus();
}

}  // namespace

void AddScoreCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<ScoreFlags>();
  CLI::App* score = app.add_subcommand("score", "negative log-likelihood of each token, as JSON");
  AddModelFlags(*score, &flags->model);
  score->add_option("--tokens", flags->tokens, "token ids, as they are: 1,2,3")
      ->delimiter(',')
      ->required();
  score->add_option("--logits", flags->logits,
                    "safetensors file to write: `logits` [tokens, vocab], float32");
  score->callback([=] { *command = [flags] { return RunScore(*flags); }; });
}

}  // namespace mozgach
