// Domain files as people write them, and what they are told.
#include <unistd.h>

#include <fstream>

#include "common/domain/domain_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char kHead[] = "domain: law\nbase: mozgach/tiny\ndata: {train: rows.jsonl}\n";

class DomainFileTest : public testing::Test {
 protected:
  DomainFileTest() {
    std::string pattern = (fs::temp_directory_path() / "mozgach_domain_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    Write("rows.jsonl", "{}\n");
  }
  ~DomainFileTest() override { fs::remove_all(root_); }

  fs::path Write(const std::string& name, const std::string& bytes) {
    std::ofstream(root_ / name, std::ios::binary) << bytes;
    return root_ / name;
  }

  absl::StatusOr<DomainFile> Parse(const std::string& text) {
    return ParseDomainFile(text, "law.yaml", root_);
  }

  DomainSpec SpecOf(const std::string& text) {
    const auto file = Parse(text);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? file->spec : DomainSpec();
  }

  std::string ErrorOf(const std::string& text) {
    const auto file = Parse(text);
    if (file.ok()) return "OK";
    EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(file.status().message());
  }

  fs::path root_;
};

TEST_F(DomainFileTest, TheThreeRequiredKeysAreEnough) {
  const auto file = Parse(kHead);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->spec.domain, "law");
  EXPECT_EQ(file->spec.base, "mozgach/tiny");
  EXPECT_THAT(file->train, ElementsAre(root_ / "rows.jsonl"));
  EXPECT_FALSE(file->validation);
  EXPECT_FALSE(file->test);
  EXPECT_EQ(ToJson(file->spec)["training"], ToJson(DomainSpec())["training"]);
}

TEST_F(DomainFileTest, EveryKeyIsRead) {
  Write("v.jsonl", "");
  Write("t.jsonl", "");
  const DomainSpec spec = SpecOf(R"(
domain: kazakh-law
description: "Questions: the law of Kazakhstan"
base: google/gemma-3-4b-it
revision: main
priority: 70
time_limit: 90m
labels: {team: law, tier: 1, urgent: true}
data:
  train: [rows.jsonl, v.jsonl]
  validation: v.jsonl
  test: t.jsonl
  format: alpaca
  chat_template: chatml
  max_samples: 8652
  max_length: 2048
  over_length: drop
  packing: false
  completion_only_loss: False
quantization: {load_in_4bit: false, bnb_4bit_quant_type: nf4, bnb_4bit_use_double_quant: false,
               bnb_4bit_compute_dtype: bfloat16}
lora: {r: 16, lora_alpha: 32, lora_dropout: 0.05, target_modules: [q_proj, down_proj],
       layers_to_transform: [0, 2], use_rslora: true, bias: none, modules_to_save: []}
training:
  num_train_epochs: 1.5
  max_steps: 7
  per_device_train_batch_size: 2
  gradient_accumulation_steps: 4
  learning_rate: 2e-4
  lr_scheduler_type: linear
  warmup_steps: 100
  warmup_ratio: 0.1
  weight_decay: 0.01
  adam_beta1: 0.8
  adam_beta2: .99
  adam_epsilon: 1.0e-6
  max_grad_norm: 0
  gradient_checkpointing: True
  optim: adamw
  seed: 1
  logging_steps: 2
  eval_steps: 200
  save_steps: 50
  save_total_limit: 3
rope_scaling: {rope_type: yarn, factor: 4, original_max_position_embeddings: 4096, beta_fast: 16}
evaluation: {metrics: [perplexity, exact_match], samples: 50, max_new_tokens: 32}
gate: {require: eval_loss_below_base}
)");
  nlohmann::json expected = nlohmann::json::parse(R"({
    "domain": "kazakh-law", "description": "Questions: the law of Kazakhstan",
    "base": "google/gemma-3-4b-it", "revision": "main", "priority": 70, "time_limit": "90m",
    "labels": {"team": "law", "tier": "1", "urgent": "true"},
    "data": {"train": ["rows.jsonl", "v.jsonl"], "validation": "v.jsonl", "test": "t.jsonl",
      "format": "alpaca", "chat_template": "chatml", "max_samples": 8652, "max_length": 2048,
      "over_length": "drop", "packing": false, "completion_only_loss": false},
    "quantization": {"load_in_4bit": false, "bnb_4bit_quant_type": "nf4",
      "bnb_4bit_use_double_quant": false, "bnb_4bit_compute_dtype": "bfloat16"},
    "lora": {"r": 16, "lora_alpha": 32.0, "lora_dropout": 0.05,
      "target_modules": ["q_proj", "down_proj"], "layers_to_transform": [0, 2],
      "use_rslora": true, "bias": "none", "modules_to_save": []},
    "training": {"num_train_epochs": 1.5, "max_steps": 7, "per_device_train_batch_size": 2,
      "gradient_accumulation_steps": 4, "learning_rate": 0.0002, "lr_scheduler_type": "linear",
      "warmup_steps": 100, "warmup_ratio": 0.1, "weight_decay": 0.01, "adam_beta1": 0.8,
      "adam_beta2": 0.99, "adam_epsilon": 1e-06, "max_grad_norm": 0.0,
      "gradient_checkpointing": "true", "optim": "adamw", "seed": 1, "logging_steps": 2,
      "eval_steps": 200, "save_steps": 50, "save_total_limit": 3},
    "evaluation": {"metrics": ["perplexity", "exact_match"], "samples": 50, "max_new_tokens": 32},
    "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
      "original_max_position_embeddings": 4096, "attention_factor": null, "beta_fast": 16.0,
      "beta_slow": 1.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0},
    "gate": {"require": "eval_loss_below_base"}})");
  EXPECT_EQ(ToJson(spec), expected);
}

TEST_F(DomainFileTest, ATypoIsNamedWithItsPlaceAndTheNearestKey) {
  EXPECT_EQ(ErrorOf(std::string(kHead) + "lora:\n  r: 4\ntraining:\n  lerning_rate: 1.0e-4\n"),
            "law.yaml:7:3: unknown key 'lerning_rate', did you mean 'learning_rate'?");
}

TEST_F(DomainFileTest, AKeyInTheWrongSectionIsSentHome) {
  EXPECT_EQ(ErrorOf(std::string(kHead) + "learning_rate: 1.0e-4\n"),
            "law.yaml:4:1: unknown key 'learning_rate', did you mean 'training.learning_rate'?");
}

TEST_F(DomainFileTest, AKeyLikeNoOtherGetsTheListOfKeys) {
  EXPECT_EQ(ErrorOf(std::string(kHead) + "gate: {zzzzzz: 1}\n"),
            "law.yaml:4:8: unknown key 'zzzzzz'; gate knows require");
}

TEST_F(DomainFileTest, ColumnsCountCharactersNotBytes) {
  EXPECT_THAT(ErrorOf(std::string(kHead) + "labels: {отдел: право}\ndescription: ясно\n"), "OK");
  EXPECT_THAT(
      ErrorOf("{domain: law, base: a, data: {train: rows.jsonl}, description: Қазақ, prioriti: 1}"),
      StartsWith("law.yaml:1:71: unknown key 'prioriti', did you mean 'priority'?"));
}

TEST_F(DomainFileTest, WrongTypesSayWhatIsWantedAndWhatIsThere) {
  const auto training = [&](const std::string& line) {
    return ErrorOf(std::string(kHead) + "training:\n  " + line + "\n");
  };
  EXPECT_EQ(training("learning_rate: fast"),
            "law.yaml:5:18: training.learning_rate must be a number, not 'fast'");
  EXPECT_THAT(training("learning_rate: .nan"), EndsWith("must be a number, not '.nan'"));
  EXPECT_THAT(training("learning_rate: 0x1p3"), EndsWith("must be a number, not '0x1p3'"));
  EXPECT_THAT(training("learning_rate: 1e999"), EndsWith("must be a number, not 1e999"));
  EXPECT_THAT(training("learning_rate: \"2e-4\""), EndsWith("not the text '2e-4'"));
  EXPECT_THAT(training("max_steps: 1.5"), EndsWith("must be a whole number, not 1.5"));
  EXPECT_THAT(training("max_steps: [1]"), EndsWith("must be a whole number, not a list"));
  EXPECT_THAT(training("max_steps: {a: 1}"), EndsWith("must be a whole number, not a map of keys"));
  EXPECT_THAT(training("seed: 99999999999999999999"), HasSubstr("training.seed must be"));
  EXPECT_THAT(ErrorOf(std::string(kHead) + "training: fast\n"),
              EndsWith("training must be a map of keys, not 'fast'"));
  EXPECT_THAT(ErrorOf("domain: law\nbase: a\ndata: {train: rows.jsonl, packing: maybe}"),
              EndsWith("data.packing must be true or false, not 'maybe'"));
  EXPECT_THAT(ErrorOf("domain: [law]\nbase: a\ndata: {train: rows.jsonl}"),
              EndsWith("domain must be text, not a list"));
}

TEST_F(DomainFileTest, ValuesOutOfRangeComeWithTheRange) {
  const auto error = [&](const std::string& line) { return ErrorOf(kHead + line + "\n"); };
  EXPECT_EQ(error("lora: {r: 0}"), "law.yaml:4:11: lora.r must be from 1 to 4096, not 0");
  EXPECT_THAT(error("priority: 101"), EndsWith("priority must be from 0 to 100, not 101"));
  EXPECT_THAT(error("training: {learning_rate: 0}"),
              EndsWith("must be above 0 and at most 10, not 0"));
  EXPECT_THAT(error("training: {adam_beta1: 1}"),
              EndsWith("must be at least 0 and below 1, not 1"));
  EXPECT_THAT(error("training: {seed: -1}"), EndsWith("must be at least 0, not -1"));
  EXPECT_THAT(ErrorOf("domain: law\nbase: a\ndata: {train: rows.jsonl, validation: 30}"),
              EndsWith("data.validation must be at least 0 and below 1, not 30"));
  EXPECT_THAT(error("lora: {layers_to_transform: [0, -1]}"), EndsWith("not -1"));
}

TEST_F(DomainFileTest, ValidationOfZeroOrNullMeansNone) {
  for (const char* value : {"0", "0.0", "null", "~", ""}) {
    const auto file = ParseDomainFile(
        "domain: law\nbase: a\ndata:\n  train: rows.jsonl\n  validation: " + std::string(value) +
            "\n",
        "law.yaml", root_);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(std::get<double>(file->spec.data.validation), 0.0) << value;
  }
  for (const char* value : {"false", "none", "''", "' '"}) {
    EXPECT_THAT(ErrorOf("domain: law\nbase: a\ndata: {train: rows.jsonl, validation: " +
                        std::string(value) + "}"),
                HasSubstr("0 for none"))
        << value;
  }
}

TEST_F(DomainFileTest, GateWithoutValidationIsAnErrorThatSaysWhatToChange) {
  EXPECT_THAT(ErrorOf("domain: law\nbase: a\ndata: {train: rows.jsonl, validation: 0}\n"
                      "gate: {require: eval_loss_below_base}\n"),
              AllOf(StartsWith("law.yaml:4:17: gate.require"), HasSubstr("data.validation is 0")));
}

TEST_F(DomainFileTest, ChoicesAreListedAndTheNearestIsSuggested) {
  EXPECT_THAT(ErrorOf(std::string(kHead) + "training: {lr_scheduler_type: cosin}\n"),
              EndsWith("must be constant, linear or cosine, not 'cosin', did you mean 'cosine'?"));
  EXPECT_THAT(ErrorOf(std::string(kHead) + "lora: {target_modules: [q_proj, lm_head]}\n"),
              AllOf(StartsWith("law.yaml:4:33: lora.target_modules must be all-linear, q_proj"),
                    EndsWith("not 'lm_head'")));
  EXPECT_THAT(ErrorOf(std::string(kHead) + "lora: {target_modules: [all-linear, q_proj]}\n"),
              HasSubstr("stands alone"));
  EXPECT_THAT(ErrorOf(std::string(kHead) + "lora: {target_modules: [q_proj, q_proj]}\n"),
              HasSubstr("same entry twice"));
}

TEST_F(DomainFileTest, RopeScalingNeedsATypeAndAFactor) {
  EXPECT_THAT(ErrorOf(std::string(kHead) + "rope_scaling: {rope_type: yarn}\n"),
              HasSubstr("rope_scaling.factor is missing"));
  EXPECT_THAT(ErrorOf(std::string(kHead) + "rope_scaling: {factor: 4}\n"),
              HasSubstr("rope_scaling.rope_type is missing"));
  EXPECT_THAT(ErrorOf(std::string(kHead) + "rope_scaling: {rope_type: ntk, factor: 4}\n"),
              HasSubstr("dynamic"));
}

TEST_F(DomainFileTest, WhatALaterVersionWillTakeIsAnErrorThatSaysSo) {
  for (const char* line :
       {"lora: {bias: all}", "lora: {bias: lora_only}", "lora: {modules_to_save: [lm_head]}",
        "quantization: {bnb_4bit_quant_type: fp4}", "evaluation: {metrics: [perplexity, bleu]}",
        "evaluation: {metrics: [rouge]}"}) {
    EXPECT_THAT(ErrorOf(std::string(kHead) + line + "\n"),
                AllOf(StartsWith("law.yaml:4:"), HasSubstr("not supported yet")))
        << line;
  }
}

TEST_F(DomainFileTest, MissingAndDuplicateKeysAreNamed) {
  EXPECT_EQ(ErrorOf("priority: 1\n"),
            "law.yaml:1:1: domain is missing, it is required\n"
            "law.yaml:1:1: base is missing, it is required\n"
            "law.yaml:1:1: data.train is missing, it is required");
  EXPECT_THAT(ErrorOf("domain:\nbase: a\ndata: {train: rows.jsonl}"),
              HasSubstr("domain is required"));
  EXPECT_EQ(ErrorOf("domain: law\nbase: a\ndata:\n  packing: true\n"),
            "law.yaml:4:3: data.train is missing, it is required");
  EXPECT_THAT(ErrorOf("domain: law\nbase: a\ndata: {train: []}"), HasSubstr("empty list"));
  EXPECT_EQ(ErrorOf(std::string(kHead) + "base: other\n"),
            "law.yaml:4:1: key 'base' is there twice");
  EXPECT_EQ(ErrorOf(std::string(kHead) + "labels: {a: 1, a: 2}\n"),
            "law.yaml:4:16: key 'a' is there twice");
}

TEST_F(DomainFileTest, AllProblemsOfAFileAreToldInOrder) {
  EXPECT_EQ(
      ErrorOf("domain: Law\nbase: a\ndata: {train: none.jsonl}\nlora: {r: 0, rr: 1}\n"),
      "law.yaml:1:9: domain must be 1 to 63 of a-z, 0-9, '-' and '_', starting with a letter or "
      "a digit, not 'Law'\n"
      "law.yaml:3:15: data.train: there is no file " +
          (root_ / "none.jsonl").string() +
          "; relative paths start at the domain file\n"
          "law.yaml:4:11: lora.r must be from 1 to 4096, not 0\n"
          "law.yaml:4:14: unknown key 'rr', did you mean 'r'?");
}

TEST_F(DomainFileTest, DatasetsMustBeFiles) {
  EXPECT_THAT(ErrorOf("domain: law\nbase: a\ndata:\n  train: rows.jsonl\n  test: .\n"),
              AllOf(StartsWith("law.yaml:5:9: data.test: "), EndsWith("is not a regular file")));
  EXPECT_THAT(ErrorOf("domain: law\nbase: a\ndata:\n  train:\n  - rows.jsonl\n  - more.jsonl\n"),
              StartsWith("law.yaml:6:5: data.train: there is no file "));
  EXPECT_THAT(ErrorOf("domain: law\nbase: a\ndata: {train: rows.jsonl, validation: v.jsonl}"),
              HasSubstr("data.validation: there is no file"));
}

TEST_F(DomainFileTest, RelativePathsStartAtTheFileAndItsNameIsShownAsTyped) {
  const fs::path path = Write("law.yaml", kHead);
  const auto file = ReadDomainFile(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->train, ElementsAre(root_ / "rows.jsonl"));
  Write("law.yaml", std::string(kHead) + "prio: 1\n");
  const fs::path typed = fs::relative(path, fs::current_path());
  EXPECT_THAT(std::string(ReadDomainFile(typed).status().message()),
              StartsWith(typed.string() + ":4:1: unknown key 'prio'"));
}

TEST_F(DomainFileTest, WhatIsNoDomainFileIsRefused) {
  EXPECT_EQ(ReadDomainFile(root_ / "none.yaml").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadDomainFile(root_).status().message()), HasSubstr("/*.yaml"));
  const fs::path big = Write("big.yaml", std::string((1 << 20) + 1, '#'));
  EXPECT_THAT(std::string(ReadDomainFile(big).status().message()), HasSubstr("larger than"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("the file is empty"));
  EXPECT_THAT(ErrorOf("# only a comment\n"), HasSubstr("the file is empty"));
  EXPECT_THAT(ErrorOf("just text"), HasSubstr("a domain file is a map of keys"));
  EXPECT_THAT(ErrorOf("- a\n- b\n"), HasSubstr("not a list"));
  EXPECT_THAT(ErrorOf(std::string("\x7f"
                                  "ELF\x02\x01\0\0",
                                  8)),
              HasSubstr("not UTF-8 text"));
  EXPECT_THAT(ErrorOf("\xff\xfe"
                      "d\0o\0"),
              HasSubstr("not UTF-8 text"));
}

TEST_F(DomainFileTest, BrokenYamlIsNamedWithItsPlace) {
  EXPECT_THAT(ErrorOf("domain: law\n\tbase: a\n"),
              AllOf(StartsWith("law.yaml:2:1:"), HasSubstr("tab")));
  EXPECT_THAT(ErrorOf("domain: law\ndata:\n\ttrain: x\n"), HasSubstr("tab in the indentation"));
  EXPECT_THAT(ErrorOf("domain: law\ndata:\n  train: x\n \ttest: y\n"),
              HasSubstr("tab in the indentation"));
  EXPECT_THAT(ErrorOf("domain: [law\nbase: a\n"), StartsWith("law.yaml:"));
  EXPECT_THAT(ErrorOf("domain: \"law\nbase: a\n"), StartsWith("law.yaml:"));
  EXPECT_THAT(ErrorOf(std::string(kHead) + "---\ndomain: second\n"), HasSubstr("second document"));
  EXPECT_THAT(ErrorOf("? {a: b}\n: c\n"), HasSubstr("a key must be text"));
  EXPECT_THAT(ErrorOf("domain: !!python/object:os.system x\n"),
              HasSubstr("tags are not supported"));
  EXPECT_THAT(ErrorOf(kHead + std::string("description: \"a\\0b\"\n")),
              HasSubstr("control characters"));
}

TEST_F(DomainFileTest, ByteOrderMarkAndWindowsLineEndsAreUnderstood) {
  EXPECT_EQ(SpecOf("\xEF\xBB\xBF"
                   "domain: law\r\nbase: a\r\ndata: {train: rows.jsonl}\r\n")
                .domain,
            "law");
  EXPECT_THAT(ErrorOf("domain: law\r\nbase: a\r\ndata: {train: rows.jsonl}\r\nprio: 1\r\n"),
              StartsWith("law.yaml:4:1:"));
}

TEST_F(DomainFileTest, BombsAreRefusedAtOnce) {
  std::string laughs = "a: &a [lol, lol]\n";
  for (char name = 'b'; name < 'z'; ++name) {
    laughs += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 9; ++i)
      laughs += std::string(i > 0 ? ", *" : "*") + static_cast<char>(name - 1);
    laughs += "]\n";
  }
  EXPECT_THAT(ErrorOf(laughs), HasSubstr("anchors are not supported"));
  EXPECT_THAT(ErrorOf("a: *b\n"), StartsWith("law.yaml:1:4: "));
  EXPECT_THAT(ErrorOf("labels: " + std::string(500000, '[')), HasSubstr("law.yaml:1:"));
  EXPECT_THAT(ErrorOf("labels: " + std::string(500000, '{')), HasSubstr("law.yaml:1:"));
  std::string wide;
  for (int i = 0; i < 100000; ++i) wide += "k" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(ErrorOf(wide), HasSubstr("too many values"));
  std::string dashes;
  for (int i = 0; i < 300000; ++i) dashes += "- ";
  EXPECT_NE(ErrorOf(dashes), "OK");
}

TEST_F(DomainFileTest, MessagesAreBoundedWhateverTheFile) {
  std::string unknown = kHead;
  for (int i = 0; i < 5000; ++i) unknown += std::string(150, 'k') + std::to_string(i) + ": 1\n";
  EXPECT_LT(ErrorOf(unknown).size(), 20000u);
  EXPECT_THAT(ErrorOf(std::string(kHead) + "description: [" + std::string(400000, 'x') + "]\n"),
              testing::SizeIs(testing::Lt(500u)));
}

TEST_F(DomainFileTest, EveryCutOffAndEveryFlippedByteIsAnAnswerNotACrash) {
  const std::string text = std::string(kHead) +
                           "lora: {r: 16, target_modules: [q_proj, 'v_proj'], lora_dropout: 0.05}\n"
                           "training:\n  learning_rate: 2.0e-4 # comment\n  optim: "
                           "\"adamw\"\ndescription: |\n  two\n  lines\n";
  ASSERT_TRUE(Parse(text).ok());
  for (size_t i = 0; i < text.size(); ++i) {
    (void)Parse(text.substr(0, i));
    for (const char byte :
         {'\0', '\t', '\n', ' ', '"', '\'', '&', '*', '!', '%', '[',    ']',    '{',
          '}',  ':',  '-',  '?', '|', '>',  ',', '#', '@', '`', '\x80', '\xff', '9'}) {
      std::string changed = text;
      changed[i] = byte;
      (void)Parse(changed);
    }
  }
}

}  // namespace
}  // namespace mozgach
