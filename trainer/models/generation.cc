#include "trainer/models/generation.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "trainer/device/torch_status.h"

namespace mozgach {
namespace {

// A full cache grows by this many tokens, so that short answers do not need memory for long ones.
constexpr int64_t kCacheStep = 64;

absl::Status CheckPrompts(const CausalLm& model, const std::vector<std::vector<int32_t>>& prompts) {
  const int64_t vocabulary = model.config().vocab_size;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto& prompt = prompts[i];
    if (prompt.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("prompt ", i, " is empty"));
    }
    if (static_cast<int64_t>(prompt.size()) >= model.longest_text()) {
      return absl::InvalidArgumentError(
          absl::StrCat("prompt ", i, " has ", prompt.size(), " tokens; this base supports ",
                       model.longest_text(), " including the answer: shorten the prompt"));
    }
    for (int32_t id : prompt) {
      if (id >= 0 && id < vocabulary) continue;
      return absl::InvalidArgumentError(absl::StrCat("prompt ", i, " holds the token id ", id,
                                                     "; the vocabulary has ids 0 to ",
                                                     vocabulary - 1));
    }
  }
  return absl::OkStatus();
}

// A batch in progress: the running sequences and the results so far.
class Generation {
 public:
  Generation(const CausalLm& model, const LoraAdapter* adapter,
             const std::vector<std::vector<int32_t>>& prompts, const GenerationOptions& options)
      : model_(model), adapter_(adapter), prompts_(prompts), options_(options) {
    results_.resize(prompts.size());
    running_.resize(prompts.size());
    std::iota(running_.begin(), running_.end(), size_t{0});
    for (size_t i = 0; i < prompts.size(); ++i) {
      random_.emplace_back(options.seed, RandomStream::kSampling, static_cast<uint32_t>(i));
    }
  }

  std::vector<std::vector<int32_t>> Run() {
    if (running_.empty() || options_.max_new_tokens <= 0) return std::move(results_);
    at::Tensor hidden = Start();
    while (true) {
      const std::vector<int32_t> next = Choose(hidden);
      const std::vector<int64_t> kept = Take(next);
      if (kept.empty()) return std::move(results_);
      hidden = Step(next, kept);
    }
  }

 private:
  at::Tensor Start() {
    std::vector<int64_t> ids;
    TokenBatch batch;
    batch.document_offsets.push_back(0);
    size_t longest = 0;
    for (const auto& prompt : prompts_) {
      ids.insert(ids.end(), prompt.begin(), prompt.end());
      batch.document_offsets.push_back(static_cast<int64_t>(ids.size()));
      longest = std::max(longest, prompt.size());
    }
    batch.ids = at::tensor(ids, at::kLong).to(model_.device());
    return model_.Prefill(batch, Capacity(static_cast<int64_t>(longest)), cache_, adapter_);
  }

  int64_t Capacity(int64_t tokens) const {
    const int64_t most = model_.longest_text();
    return std::min(most, tokens + std::min(kCacheStep, options_.max_new_tokens));
  }

  std::vector<int32_t> Choose(const at::Tensor& hidden) {
    const at::Tensor logits = model_.Logits(hidden);
    std::vector<int32_t> chosen;
    if (options_.temperature <= 0) {
      const at::Tensor best = at::argmax(logits, 1).to(at::kCPU);
      for (size_t i = 0; i < running_.size(); ++i) {
        chosen.push_back(static_cast<int32_t>(best.const_data_ptr<int64_t>()[i]));
      }
      return chosen;
    }
    const at::Tensor probabilities =
        at::softmax(logits.div(options_.temperature), 1).to(at::kCPU).contiguous();
    const int64_t vocabulary = probabilities.size(1);
    for (size_t i = 0; i < running_.size(); ++i) {
      const float* row =
          probabilities.const_data_ptr<float>() + static_cast<int64_t>(i) * vocabulary;
      chosen.push_back(Draw(row, vocabulary, &random_[running_[i]]));
    }
    return chosen;
  }

  static int32_t Draw(const float* probabilities, int64_t count, Random* random) {
    double left = random->Uniform();
    for (int64_t id = 0; id < count; ++id) {
      left -= probabilities[id];
      if (left < 0) return static_cast<int32_t>(id);
    }
    return static_cast<int32_t>(count - 1);
  }

  // Appends the chosen tokens and returns the batch indices of the sequences that continue.
  std::vector<int64_t> Take(const std::vector<int32_t>& chosen) {
    std::vector<int64_t> kept;
    for (size_t i = 0; i < running_.size(); ++i) {
      auto& result = results_[running_[i]];
      const bool stops = std::find(options_.stop_ids.begin(), options_.stop_ids.end(), chosen[i]) !=
                         options_.stop_ids.end();
      if (!stops) result.push_back(chosen[i]);
      const auto said = static_cast<int64_t>(result.size());
      const auto seen = static_cast<int64_t>(prompts_[running_[i]].size()) + said;
      if (!stops && said < options_.max_new_tokens && seen < model_.longest_text()) {
        kept.push_back(static_cast<int64_t>(i));
      }
    }
    return kept;
  }

  at::Tensor Step(const std::vector<int32_t>& chosen, const std::vector<int64_t>& kept) {
    if (kept.size() < running_.size()) {
      std::vector<size_t> still;
      for (int64_t place : kept) still.push_back(running_[static_cast<size_t>(place)]);
      running_ = std::move(still);
      cache_.Keep(kept);
    }
    std::vector<int64_t> ids;
    for (int64_t place : kept) ids.push_back(chosen[static_cast<size_t>(place)]);
    const int64_t longest = *std::max_element(cache_.lengths.begin(), cache_.lengths.end());
    if (longest == cache_.capacity) cache_.Grow(Capacity(longest));
    return model_.Decode(at::tensor(ids, at::kLong).to(model_.device()), cache_, adapter_);
  }

  const CausalLm& model_;
  const LoraAdapter* adapter_;
  const std::vector<std::vector<int32_t>>& prompts_;
  const GenerationOptions& options_;
  KvCache cache_;
  std::vector<size_t> running_;  // prompt index of each batch entry
  std::vector<std::vector<int32_t>> results_;
  std::vector<Random> random_;
};

}  // namespace

absl::StatusOr<std::vector<std::vector<int32_t>>> Generate(
    const CausalLm& model, const LoraAdapter* adapter,
    const std::vector<std::vector<int32_t>>& prompts, const GenerationOptions& options) {
  RETURN_IF_ERROR(CheckPrompts(model, prompts));
  return CatchTorch([&]() -> absl::StatusOr<std::vector<std::vector<int32_t>>> {
    return Generation(model, adapter, prompts, options).Run();
  });
}

}  // namespace mozgach
