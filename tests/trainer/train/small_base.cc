#include "tests/trainer/train/small_base.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/device/runtime.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr int kHidden = 32, kFeedForward = 64, kLayers = 2, kHeads = 4, kKvHeads = 2;
constexpr int kVocabulary = 264;

constexpr char kChatTemplate[] =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\n' }}{% endif %}";

void Append(int code_point, std::string* text) {
  if (code_point < 0x80) {
    text->push_back(static_cast<char>(code_point));
  } else {
    text->push_back(static_cast<char>(0xC0 | (code_point >> 6)));
    text->push_back(static_cast<char>(0x80 | (code_point & 0x3F)));
  }
}

// The characters that represent bytes in byte-level BPE, in byte order.
Json ByteVocabulary() {
  Json vocabulary = Json::object();
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool plain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    std::string character;
    Append(plain ? byte : next++, &character);
    vocabulary[character] = byte;
  }
  return vocabulary;
}

Json AddedToken(int id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

void WriteTokenizer(const fs::path& dir) {
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  const Json tokenizer = {{"version", "1.0"},
                          {"truncation", nullptr},
                          {"padding", nullptr},
                          {"added_tokens",
                           {AddedToken(256, "<|endoftext|>"), AddedToken(257, "<|im_start|>"),
                            AddedToken(258, "<|im_end|>")}},
                          {"normalizer", nullptr},
                          {"pre_tokenizer", byte_level},
                          {"post_processor", nullptr},
                          {"decoder", byte_level},
                          {"model",
                           {{"type", "BPE"},
                            {"dropout", nullptr},
                            {"unk_token", nullptr},
                            {"continuing_subword_prefix", nullptr},
                            {"end_of_word_suffix", nullptr},
                            {"fuse_unk", false},
                            {"byte_fallback", false},
                            {"ignore_merges", false},
                            {"vocab", ByteVocabulary()},
                            {"merges", Json::array()}}}};
  WriteText(dir / "tokenizer.json", tokenizer.dump());
  WriteText(dir / "tokenizer_config.json", Json{{"tokenizer_class", "PreTrainedTokenizerFast"},
                                                {"eos_token", "<|im_end|>"},
                                                {"pad_token", "<|endoftext|>"},
                                                {"chat_template", kChatTemplate}}
                                               .dump());
}

void WriteConfig(const fs::path& dir) {
  WriteText(dir / "config.json", Json{{"architectures", {"Qwen2ForCausalLM"}},
                                      {"model_type", "qwen2"},
                                      {"vocab_size", kVocabulary},
                                      {"hidden_size", kHidden},
                                      {"intermediate_size", kFeedForward},
                                      {"num_hidden_layers", kLayers},
                                      {"num_attention_heads", kHeads},
                                      {"num_key_value_heads", kKvHeads},
                                      {"max_position_embeddings", 512},
                                      {"rms_norm_eps", 1e-6},
                                      {"rope_theta", 10000.0},
                                      {"hidden_act", "silu"},
                                      {"tie_word_embeddings", true},
                                      {"eos_token_id", 258},
                                      {"torch_dtype", "float32"}}
                                     .dump());
}

void WriteWeights(const fs::path& dir, int64_t seed) {
  auto generator = at::detail::createCPUGenerator(static_cast<uint64_t>(seed));
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  const auto normal = [&](const std::string& name, std::vector<int64_t> shape) {
    tensors.emplace_back(name, at::randn(shape, generator).mul_(0.15));
  };
  const int key_width = kHidden / kHeads * kKvHeads;
  normal("model.embed_tokens.weight", {kVocabulary, kHidden});
  tensors.emplace_back("model.norm.weight", at::ones({kHidden}));
  for (int layer = 0; layer < kLayers; ++layer) {
    const std::string prefix = absl::StrCat("model.layers.", layer, ".");
    for (const char* norm : {"input_layernorm.weight", "post_attention_layernorm.weight"}) {
      tensors.emplace_back(prefix + norm, at::ones({kHidden}));
    }
    normal(prefix + "self_attn.q_proj.weight", {kHidden, kHidden});
    normal(prefix + "self_attn.q_proj.bias", {kHidden});
    normal(prefix + "self_attn.k_proj.weight", {key_width, kHidden});
    normal(prefix + "self_attn.k_proj.bias", {key_width});
    normal(prefix + "self_attn.v_proj.weight", {key_width, kHidden});
    normal(prefix + "self_attn.v_proj.bias", {key_width});
    normal(prefix + "self_attn.o_proj.weight", {kHidden, kHidden});
    normal(prefix + "mlp.gate_proj.weight", {kFeedForward, kHidden});
    normal(prefix + "mlp.up_proj.weight", {kFeedForward, kHidden});
    normal(prefix + "mlp.down_proj.weight", {kHidden, kFeedForward});
  }
  ASSERT_TRUE(WriteSafetensors(dir / "model.safetensors", tensors, {{"format", "pt"}}).ok());
}

std::string SmallRow(int index) {
  std::string letters;
  for (int i = 0; i < 2 + index % 3; ++i) {
    letters.push_back(static_cast<char>('a' + (index * 7 + i * 5) % 26));
  }
  return Json{{"instruction", "shout " + letters}, {"output", absl::AsciiStrToUpper(letters) + "!"}}
             .dump() +
         "\n";
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (fs::temp_directory_path() / "mozgach-test-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void WriteSmallBase(const fs::path& dir, int64_t seed) {
  StartRuntime();
  fs::create_directories(dir);
  WriteConfig(dir);
  WriteTokenizer(dir);
  WriteWeights(dir, seed);
}

void WriteSmallDataset(const fs::path& dir, int rows) {
  fs::create_directories(dir);
  std::string train, validation, test;
  for (int i = 0; i < rows; ++i) train += SmallRow(i);
  for (int i = 0; i < 6; ++i) validation += SmallRow(rows + i);
  for (int i = 0; i < 5; ++i) test += SmallRow(rows + 6 + i);
  WriteText(dir / "train.jsonl", train);
  WriteText(dir / "validation.jsonl", validation);
  WriteText(dir / "test.jsonl", test);
}

DomainSpec SmallSpec() {
  DomainSpec spec;
  spec.domain = "small";
  spec.base = "mozgach/small";
  spec.data.train = {"train.jsonl"};
  spec.data.validation = "validation.jsonl";
  spec.data.test = "test.jsonl";
  spec.data.max_length = 128;
  spec.quantization.load_in_4bit = false;
  spec.quantization.bnb_4bit_compute_dtype = "float32";
  spec.lora.r = 4;
  spec.lora.lora_dropout = 0.1;
  spec.training.max_steps = 20;
  spec.training.gradient_accumulation_steps = 2;
  spec.training.learning_rate = 1e-2;
  spec.training.warmup_steps = 2;
  spec.training.save_steps = 5;
  spec.evaluation.metrics = {"perplexity", "exact_match"};
  spec.evaluation.max_new_tokens = 8;
  return spec;
}

AdapterJob SmallJob(const fs::path& dir, const DomainSpec& spec) {
  AdapterJob job;
  job.spec = spec;
  job.data = {{dir / "train.jsonl"}, dir / "validation.jsonl", dir / "test.jsonl"};
  job.output_dir = dir / "output";
  job.checkpoint_dir = dir / "checkpoints";
  return job;
}

// Writes JSON, which is valid YAML.
fs::path WriteDomainFile(const fs::path& dir, const DomainSpec& spec) {
  Json json = ToJson(spec);
  const std::function<void(Json&)> drop_nulls = [&](Json& object) {
    for (auto it = object.begin(); it != object.end();) {
      if (it->is_null()) {
        it = object.erase(it);
        continue;
      }
      if (it->is_object()) drop_nulls(*it);
      ++it;
    }
  };
  drop_nulls(json);
  WriteText(dir / "small.yaml", json.dump(1));
  return dir / "small.yaml";
}

std::unique_ptr<Base> LoadSmallBase(const fs::path& dir, const DomainSpec& spec) {
  auto base = LoadBase(dir, spec.quantization, std::nullopt);
  EXPECT_TRUE(base.ok()) << base.status();
  return base.ok() ? *std::move(base) : nullptr;
}

std::string ReadText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void WriteText(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace mozgach
