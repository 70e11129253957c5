#include "trainer/tokenizer/tokenizer_class.h"

#include <string_view>

#include "absl/strings/strip.h"

namespace mozgach {
namespace {

constexpr char kQwen[] = "Qwen2Tokenizer";
constexpr char kLlama[] = "LlamaTokenizer";
constexpr char kGemma[] = "GemmaTokenizer";

// Returns the class in tokenizer_config.json, without "Fast": both spellings mean the same class.
std::string DeclaredClass(const nlohmann::ordered_json& config) {
  const auto found = config.find("tokenizer_class");
  if (found == config.end() || !found->is_string()) return "";
  const std::string name = found->get<std::string>();
  return std::string(absl::StripSuffix(name, "Fast"));
}

std::string ChosenClass(const std::string& declared, const std::string& model_type,
                        bool byte_level) {
  // transformers ignores the declared class of these models.
  if (model_type == "qwen2") return kQwen;
  if (model_type == "mistral") return "";
  if (declared == kLlama && byte_level) return "";
  if (!declared.empty()) return declared;
  if (model_type == "qwen3") return kQwen;
  if (model_type == "gemma3" || model_type == "gemma3_text") return kGemma;
  return "";
}

}  // namespace

std::map<std::string, std::string> TokenizerClassDefaults(const nlohmann::ordered_json& config,
                                                          const std::string& model_type,
                                                          bool byte_level) {
  const std::string chosen = ChosenClass(DeclaredClass(config), model_type, byte_level);
  if (chosen == kQwen) {
    return {{"unk_token", "<|endoftext|>"},
            {"eos_token", "<|endoftext|>"},
            {"pad_token", "<|endoftext|>"}};
  }
  if (chosen == kLlama) {
    return {{"unk_token", "<unk>"}, {"bos_token", "<s>"}, {"eos_token", "</s>"}};
  }
  if (chosen == kGemma) {
    return {{"unk_token", "<unk>"},
            {"bos_token", "<bos>"},
            {"eos_token", "<eos>"},
            {"pad_token", "<pad>"},
            {"mask_token", "<mask>"}};
  }
  return {};
}

}  // namespace mozgach
