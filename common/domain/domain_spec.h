// A DomainSpec is one domain file: a name, a dataset, a base, and how to train (DESIGN.md, "The
// domain file").  Plain value; one struct, and one table of its fields (domain_fields.h) that reads
// YAML, reads and writes JSON, checks ranges and names unknown keys.  Nothing is copied by hand.
//
// Names are those of LoraConfig, BitsAndBytesConfig, TrainingArguments and SFTConfig.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "nlohmann/json_fwd.hpp"

namespace mozgach {

struct DataSpec {
  std::vector<std::string> train;                      // as written; relative to the domain file
  std::variant<double, std::string> validation = 0.1;  // a fraction of train (seeded), or a file
  std::string test;                                    // empty: none
  std::string format = "auto";  // auto | alpaca | messages | prompt_completion | sharegpt | text
  std::string chat_template = "auto";    // auto = the base's own; chatml; none
  std::optional<int64_t> max_samples;    // rows of train
  int64_t max_length = 1024;             // tokens
  std::string over_length = "truncate";  // truncate | drop | error
  bool packing = true;
  bool completion_only_loss = true;
};

struct QuantizationSpec {
  bool load_in_4bit = true;
  std::string bnb_4bit_quant_type = "nf4";
  bool bnb_4bit_use_double_quant = true;
  std::string bnb_4bit_compute_dtype = "auto";  // auto | float32 | bfloat16
};

struct LoraSpec {
  int64_t r = 8;
  std::optional<double> lora_alpha;  // absent: 2 r
  double lora_dropout = 0.0;
  std::vector<std::string> target_modules = {"all-linear"};  // or names: q_proj, …
  std::optional<std::vector<int64_t>> layers_to_transform;   // absent: all
  bool use_rslora = false;
  std::string bias = "none";
  std::vector<std::string> modules_to_save;

  double Alpha() const { return lora_alpha.value_or(2.0 * static_cast<double>(r)); }
};

struct TrainingSpec {
  double num_train_epochs = 3;
  std::optional<int64_t> max_steps;  // overrides num_train_epochs
  int64_t per_device_train_batch_size = 1;
  int64_t gradient_accumulation_steps = 1;
  double learning_rate = 2.0e-4;
  std::string lr_scheduler_type = "cosine";  // constant | linear | cosine
  int64_t warmup_steps = 0;
  std::optional<double> warmup_ratio;  // share of all steps; used if warmup_steps is 0
  double weight_decay = 0.0;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double max_grad_norm = 1.0;                   // 0: no clipping
  std::string gradient_checkpointing = "auto";  // auto | true | false
  std::string optim = "adamw";
  int64_t seed = 108;
  int64_t logging_steps = 1;
  std::optional<int64_t> eval_steps;  // absent: at the end only
  int64_t save_steps = 200;
  int64_t save_total_limit = 2;
};

// On top of what the base's config.json says: Gemma's factor of 8 and one of 4 here make 32.
struct RopeScalingSpec {
  std::string rope_type;         // linear | dynamic | yarn | llama3; empty: as the base has it
  std::optional<double> factor;  // required with rope_type
  std::optional<int64_t> original_max_position_embeddings;  // absent: the base's positions
  std::optional<double> attention_factor;                   // YaRN; absent: 0.1 ln(factor) + 1
  double beta_fast = 32;                                    // YaRN
  double beta_slow = 1;
  double low_freq_factor = 1;  // llama3
  double high_freq_factor = 4;
};

struct EvaluationSpec {
  std::vector<std::string> metrics = {"perplexity"};  // perplexity | exact_match
  std::optional<int64_t> samples;                     // test rows that are scored; absent: all
  int64_t max_new_tokens = 256;
};

struct GateSpec {
  std::string require;  // empty: none; eval_loss_below_base
};

struct DomainSpec {
  std::string domain;
  std::string description;
  std::string base;
  std::string revision;  // empty: none asked for
  int64_t priority = 50;
  std::string time_limit;  // limit for an attempt: 90m, 12h, 2d; empty: unlimited
  std::map<std::string, std::string> labels;
  DataSpec data;
  QuantizationSpec quantization;
  LoraSpec lora;
  TrainingSpec training;
  RopeScalingSpec rope_scaling;
  EvaluationSpec evaluation;
  GateSpec gate;

  // 0: none.
  Milliseconds TimeLimit() const;
};

// A domain file and where it lies.  Paths of datasets are those of `spec.data` made absolute.
struct DomainFile {
  std::filesystem::path path;
  DomainSpec spec;
  std::vector<std::filesystem::path> train;
  std::optional<std::filesystem::path> validation;
  std::optional<std::filesystem::path> test;
};

// Reads and checks one domain file.  INVALID_ARGUMENT: "path:line:column: what is wrong" (all
// problems of the file, one per line); the dataset files must exist but are not read.
absl::StatusOr<DomainFile> ReadDomainFile(const std::filesystem::path& path);

// As above from text; `name` stands in messages, relative paths start at `directory`.
absl::StatusOr<DomainFile> ParseDomainFile(const std::string& text, const std::string& name,
                                           const std::filesystem::path& directory);

// Every field, defaults included, keys sorted: the form in which a spec is sent and stored.
nlohmann::json ToJson(const DomainSpec& spec);

// The inverse of ToJson, with the same checks as for YAML ("data.max_length must be …"): a
// scheduler does not trust what it is sent.
absl::StatusOr<DomainSpec> DomainSpecFromJson(const nlohmann::json& json);

// SHA-256 of the canonical JSON of what can change the adapter: base, revision, data (without file
// names: the dataset digest stands for them), quantization, lora, training, rope_scaling,
// evaluation, gate.  Priority, labels, description and the domain's name do not enter.
std::string SpecDigest(const DomainSpec& spec);

// True for [a-z0-9][a-z0-9_-]{0,62}: the only text that may become a domain's directory.
bool IsDomainName(const std::string& text);

// True for a hub name: one or two parts of [A-Za-z0-9._-]+ that do not start with '.', joined by
// '/'.
bool IsBaseName(const std::string& text);

// True for a branch, tag or commit: parts of [A-Za-z0-9._-]+ that do not start with '.', joined by
// '/'.
bool IsRevision(const std::string& text);

// True for a duration as common/clock.h reads it.
bool IsTimeLimit(const std::string& text);

}  // namespace mozgach
