// The table of the fields of a domain file: their names, what each permits, and which of them make
// up the spec digest.  Whatever goes over a DomainSpec (reading YAML and JSON, writing JSON, the
// names for "did you mean") is a visitor of this table, so that a new field is one line here and
// one in domain_spec.h.
//
// A visitor has
//   Field(const char* key, T& member, const FieldRule& rule)
//   Section(const char* key, S& section)      S has rows of its own
//   Later(const char* key)                    known, but not supported by this version
// and `Spec` is a struct of domain_spec.h, const for a visitor that only looks.
#pragma once

#include <concepts>
#include <type_traits>

#include "common/domain/domain_spec.h"
#include "common/domain/field_rule.h"

namespace mozgach {

// DomainSpec, const or not.
template <typename S, typename T>
concept SpecOf = std::same_as<std::remove_const_t<S>, T>;

inline constexpr double kMostSteps = 1e9;
inline constexpr char kDomainForm[] =
    "1 to 63 of a-z, 0-9, '-' and '_', starting with a letter or a digit";
inline constexpr char kBaseForm[] = "a name as on the hub, like Qwen/Qwen2.5-3B";
inline constexpr char kTimeLimitForm[] = "a whole number of s, m, h or d, like 90m, up to 365d";
inline constexpr char kRevisionForm[] = "a branch, tag or commit, like main";

template <SpecOf<DataSpec> Spec, typename Visitor>
void VisitFields(Spec& s, Visitor& v) {
  v.Field("train", s.train, {.required = true, .in_digest = false});
  v.Field("validation", s.validation, {.least = 0, .most = 1, .below = true, .of_null = 0});
  v.Field("test", s.test, {.in_digest = false});
  v.Field("format", s.format,
          {.one_of = {"auto", "alpaca", "messages", "prompt_completion", "sharegpt", "text"}});
  v.Field("chat_template", s.chat_template,
          {.one_of = {"auto", "chatml", "none"},
           .later = {"alpaca", "gemma", "gemma3", "llama2", "llama3", "mistral", "phi3", "phi4",
                     "qwen2", "qwen3", "vicuna", "zephyr"}});
  v.Field("max_samples", s.max_samples, {.least = 1, .most = kMostSteps});
  v.Field("max_length", s.max_length, {.least = 2, .most = 16777216});
  v.Field("over_length", s.over_length, {.one_of = {"truncate", "drop", "error"}});
  v.Field("packing", s.packing, {});
  v.Field("completion_only_loss", s.completion_only_loss, {});
}

template <SpecOf<QuantizationSpec> Spec, typename Visitor>
void VisitFields(Spec& s, Visitor& v) {
  v.Field("load_in_4bit", s.load_in_4bit, {});
  v.Field("bnb_4bit_quant_type", s.bnb_4bit_quant_type, {.one_of = {"nf4"}, .later = {"fp4"}});
  v.Field("bnb_4bit_use_double_quant", s.bnb_4bit_use_double_quant, {});
  v.Field("bnb_4bit_compute_dtype", s.bnb_4bit_compute_dtype,
          {.one_of = {"auto", "float32", "bfloat16"}, .later = {"float16"}});
}

template <SpecOf<LoraSpec> Spec, typename Visitor>
void VisitFields(Spec& s, Visitor& v) {
  v.Field("r", s.r, {.least = 1, .most = 4096});
  v.Field("lora_alpha", s.lora_alpha, {.least = 0, .most = 1e6, .above = true});
  v.Field("lora_dropout", s.lora_dropout, {.least = 0, .most = 1, .below = true});
  v.Field("target_modules", s.target_modules,
          {.one_of = {"all-linear", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj",
                      "down_proj"}});
  v.Field("layers_to_transform", s.layers_to_transform, {.least = 0, .most = 4096});
  v.Field("use_rslora", s.use_rslora, {});
  v.Field("bias", s.bias, {.one_of = {"none"}, .later = {"all", "lora_only"}});
  v.Field("modules_to_save", s.modules_to_save, {.empty_only = true});
}

template <SpecOf<TrainingSpec> Spec, typename Visitor>
void VisitFields(Spec& s, Visitor& v) {
  v.Field("num_train_epochs", s.num_train_epochs, {.least = 0, .most = 100000, .above = true});
  v.Field("max_steps", s.max_steps, {.least = 1, .most = kMostSteps});
  v.Field("per_device_train_batch_size", s.per_device_train_batch_size,
          {.least = 1, .most = 65536});
  v.Field("gradient_accumulation_steps", s.gradient_accumulation_steps,
          {.least = 1, .most = 65536});
  v.Field("learning_rate", s.learning_rate, {.least = 0, .most = 10, .above = true});
  v.Field("lr_scheduler_type", s.lr_scheduler_type, {.one_of = {"constant", "linear", "cosine"}});
  v.Field("warmup_steps", s.warmup_steps, {.least = 0, .most = kMostSteps});
  v.Field("warmup_ratio", s.warmup_ratio, {.least = 0, .most = 1});
  v.Field("weight_decay", s.weight_decay, {.least = 0, .most = 10});
  v.Field("adam_beta1", s.adam_beta1, {.least = 0, .most = 1, .below = true});
  v.Field("adam_beta2", s.adam_beta2, {.least = 0, .most = 1, .below = true});
  v.Field("adam_epsilon", s.adam_epsilon, {.least = 0, .most = 1, .above = true});
  v.Field("max_grad_norm", s.max_grad_norm, {.least = 0, .most = 1e6});
  v.Field("gradient_checkpointing", s.gradient_checkpointing,
          {.one_of = {"auto", "true", "false"}});
  v.Field("optim", s.optim, {.one_of = {"adamw", "adamw_8bit"}});
  v.Field("seed", s.seed, {.least = 0});
  v.Field("logging_steps", s.logging_steps, {.least = 1, .most = kMostSteps});
  v.Field("eval_steps", s.eval_steps, {.least = 1, .most = kMostSteps});
  v.Field("save_steps", s.save_steps, {.least = 1, .most = kMostSteps});
  v.Field("save_total_limit", s.save_total_limit, {.least = 1, .most = 1000});
}

template <SpecOf<RopeScalingSpec> Spec, typename Visitor>
void VisitFields(Spec& s, Visitor& v) {
  v.Field("rope_type", s.rope_type, {.one_of = {"linear", "dynamic", "yarn", "llama3"}});
  v.Field("factor", s.factor, {.least = 1, .most = 1024});
  v.Field("original_max_position_embeddings", s.original_max_position_embeddings,
          {.least = 1, .most = 16777216});
  v.Field("attention_factor", s.attention_factor, {.least = 0, .most = 100, .above = true});
  v.Field("beta_fast", s.beta_fast, {.least = 0, .most = 1e6, .above = true});
  v.Field("beta_slow", s.beta_slow, {.least = 0, .most = 1e6, .above = true});
  v.Field("low_freq_factor", s.low_freq_factor, {.least = 0, .most = 1e6, .above = true});
  v.Field("high_freq_factor", s.high_freq_factor, {.least = 0, .most = 1e6, .above = true});
}

template <SpecOf<EvaluationSpec> Spec, typename Visitor>
void VisitFields(Spec& s, Visitor& v) {
  v.Field("metrics", s.metrics,
          {.one_of = {"perplexity", "exact_match"}, .later = {"bleu", "rouge"}});
  v.Field("samples", s.samples, {.least = 1, .most = kMostSteps});
  v.Field("max_new_tokens", s.max_new_tokens, {.least = 1, .most = 65536});
}

template <SpecOf<GateSpec> Spec, typename Visitor>
void VisitFields(Spec& s, Visitor& v) {
  v.Field("require", s.require, {.one_of = {"eval_loss_below_base"}});
}

template <SpecOf<DomainSpec> Spec, typename Visitor>
void VisitFields(Spec& s, Visitor& v) {
  v.Field("domain", s.domain,
          {.required = true, .valid = IsDomainName, .form = kDomainForm, .in_digest = false});
  v.Field("description", s.description, {.in_digest = false});
  v.Field("base", s.base, {.required = true, .valid = IsBaseName, .form = kBaseForm});
  v.Field("revision", s.revision, {.valid = IsRevision, .form = kRevisionForm});
  v.Field("priority", s.priority, {.least = 0, .most = 100, .in_digest = false});
  v.Field("time_limit", s.time_limit,
          {.valid = IsTimeLimit, .form = kTimeLimitForm, .in_digest = false});
  v.Field("labels", s.labels, {.in_digest = false});
  v.Section("data", s.data);
  v.Section("quantization", s.quantization);
  v.Section("lora", s.lora);
  v.Section("training", s.training);
  v.Section("rope_scaling", s.rope_scaling);
  v.Section("evaluation", s.evaluation);
  v.Section("gate", s.gate);
}

}  // namespace mozgach
