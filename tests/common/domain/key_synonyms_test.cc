#include "common/domain/key_synonyms.h"

#include <string>
#include <utility>
#include <vector>

#include "common/domain/domain_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mozgach {
namespace {
using testing::EndsWith;

std::string DomainError(const std::string& keys) {
  const std::string head = "domain: law\nbase: mozgach/tiny\ndata: {train: rows.jsonl}\n";
  return std::string(ParseDomainFile(head + keys, "law.yaml", ".").status().message());
}

TEST(KeySynonymsTest, NameTheKeyThatDoesWhatAKeyOfAnotherToolDoes) {
  const std::vector<std::pair<std::string, std::string>> kMeant = {
      {"rank", "lora.r"},
      {"lora_rank", "lora.r"},
      {"alpha", "lora.lora_alpha"},
      {"dropout", "lora.lora_dropout"},
      {"lr", "training.learning_rate"},
      {"learningRate", "training.learning_rate"},
      {"epochs", "training.num_train_epochs"},
      {"num_epochs", "training.num_train_epochs"},
      {"batch_size", "training.per_device_train_batch_size"},
      {"micro_batch_size", "training.per_device_train_batch_size"},
      {"grad_accum", "training.gradient_accumulation_steps"},
      {"max_seq_length", "data.max_length"},
      {"cutoff_len", "data.max_length"},
      {"seq_len", "data.max_length"},
      {"sequence_len", "data.max_length"},
      {"model", "base"},
      {"model_name_or_path", "base"},
      {"base_model", "base"},
      {"dataset", "data.train"},
      {"val_set_size", "data.validation"},
      {"warmup", "training.warmup_steps"},
      {"scheduler", "training.lr_scheduler_type"},
      {"optimizer", "training.optim"},
      {"load_in_8bit", "quantization.load_in_4bit"},
      {"sample_packing", "data.packing"},
      {"lerning_rate", "training.learning_rate"}};
  for (const auto& [typed, meant] : kMeant) {
    const std::string said = "unknown key '" + typed + "', did you mean '" + meant + "'?";
    EXPECT_THAT(DomainError(typed + ": 1\n"), EndsWith(said));
    if (typed == "lerning_rate") continue;  // nearest in its own section
    for (const char* section : {"lora", "training", "quantization", "evaluation"}) {
      EXPECT_THAT(DomainError(std::string(section) + ": {" + typed + ": 1}\n"), EndsWith(said));
    }
  }
}

}  // namespace
}  // namespace mozgach
