#include "common/base/base_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/quantization_format.h"
#include "nlohmann/json.hpp"
#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A safetensors file without data, which is enough for its header.
std::string Safetensors(const std::vector<std::pair<std::string, std::string>>& tensors) {
  json header = json::object();
  for (const auto& [name, dtype] : tensors) {
    header[name] = {{"dtype", dtype}, {"shape", {0}}, {"data_offsets", {0, 0}}};
  }
  const std::string text = header.dump();
  std::string file(8, '\0');
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(text.size() >> (8 * i));
  return file + text;
}

std::string ProblemWith(const json& config) {
  return std::string(CheckQuantizationConfig(config).message());
}

class BaseFormatTest : public ::testing::Test {
 protected:
  std::string Problem() const { return std::string(CheckBaseFormat(folder_.path()).message()); }

  TemporaryFolder folder_;
};

TEST(QuantizationFormatTest, NamesTheMethodAndTheWayOut) {
  for (const auto& [method, name] : std::vector<std::pair<std::string, std::string>>{
           {"gptq", "GPTQ"},
           {"awq", "AWQ"},
           {"fp8", "FP8"},
           {"compressed-tensors", "compressed-tensors"},
           {"hqq", "HQQ"},
           {"aqlm", "AQLM"},
           {"mxfp4", "MXFP4"},
           {"brand-new", "brand-new"}}) {
    EXPECT_THAT(ProblemWith({{"quantization_config", {{"quant_method", method}, {"bits", 4}}}}),
                AllOf(HasSubstr("quantised with " + name), HasSubstr("'" + method + "'"),
                      HasSubstr("original, unquantised checkpoint")));
  }
}

TEST(QuantizationFormatTest, FindsOtherSpellings) {
  EXPECT_THAT(ProblemWith({{"text_config", {{"quantization_config", {{"quant_method", "awq"}}}}}}),
              HasSubstr("AWQ"));
  EXPECT_THAT(ProblemWith({{"quantization", {{"bits", 4}, {"group_size", 64}}},
                           {"quantization_config", {{"bits", 4}, {"group_size", 64}}}}),
              HasSubstr("MLX"));
  EXPECT_THAT(ProblemWith({{"quantization_config", {{"bits", 3}}}}), HasSubstr("bits is 3"));
  EXPECT_THAT(ProblemWith({{"quantization_config",
                            {{"quant_method", "bitsandbytes"}, {"load_in_8bit", true}}}}),
              HasSubstr("8 bits"));
  EXPECT_THAT(ProblemWith({{"compression_config", {{"quant_method", "compressed-tensors"}}}}),
              HasSubstr("compressed-tensors"));
}

TEST(QuantizationFormatTest, AcceptsNoneAndBitsandbytesInFourBits) {
  for (const json& settings :
       {json(), json::object(), json{{"load_in_4bit", true}},
        json{{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}, {"load_in_8bit", false}}}) {
    EXPECT_EQ(ProblemWith({{"quantization_config", settings}}), "") << settings;
  }
}

TEST(QuantizationFormatTest, RecognisesTensorsWithoutAKeyInTheConfig) {
  const auto problem = [](const TensorTypes& tensors) {
    return std::string(CheckTensorFormat(tensors).message());
  };
  EXPECT_THAT(problem({{"a.qweight", "I32"}, {"a.g_idx", "I32"}}), HasSubstr("with GPTQ"));
  EXPECT_THAT(problem({{"a.qweight", "I32"}, {"a.qzeros", "I32"}}), HasSubstr("AWQ"));
  EXPECT_THAT(problem({{"a.weight", "F8_E4M3"}, {"a.weight_scale_inv", "F32"}}), HasSubstr("FP8"));
  EXPECT_THAT(problem({{"a.weight", "F8_E5M2"}}), HasSubstr("FP8"));
  EXPECT_THAT(problem({{"a.weight_packed", "I32"}}), HasSubstr("compressed-tensors"));
  EXPECT_THAT(problem({{"a.weight", "I8"}, {"a.SCB", "F32"}}), HasSubstr("8 bits"));
  EXPECT_THAT(
      problem({{"a.weight", "U8"}, {"a.weight_scale", "F8_E4M3"}, {"a.weight_scale_2", "F32"}}),
      HasSubstr("NVFP4"));
  EXPECT_THAT(problem({{"a.scales", "F16"}, {"a.weight", "U32"}}), HasSubstr("MLX"));
  EXPECT_EQ(problem({{"a.weight", "BF16"},
                     {"a.bias", "F32"},
                     {"b.weight", "U8"},
                     {"b.weight.absmax", "U8"},
                     {"b.weight.quant_state.bitsandbytes__nf4", "U8"}}),
            "");
}

TEST_F(BaseFormatTest, ReadsTheHeaderOfTheFirstWeights) {
  folder_.Write("config.json", "{}");
  folder_.Write("model.safetensors", Safetensors({{"a.qweight", "I32"}, {"a.g_idx", "I32"}}));
  EXPECT_THAT(Problem(), AllOf(HasSubstr("model.safetensors"), HasSubstr("GPTQ")));
  folder_.Write("model.safetensors", Safetensors({{"a.weight", "F32"}}));
  EXPECT_EQ(Problem(), "");
}

TEST_F(BaseFormatTest, ReadsTheHeaderOfTheFirstShard) {
  folder_.Write("model.safetensors.index.json", "{}");
  folder_.Write("model-00001-of-00002.safetensors", Safetensors({{"a.weight", "F8_E4M3"}}));
  EXPECT_THAT(Problem(), HasSubstr("FP8"));
}

TEST_F(BaseFormatTest, NamesTheBaseOfAnAdapter) {
  folder_.Write("adapter_config.json", R"({"base_model_name_or_path": "Qwen/Qwen2.5-3B"})");
  folder_.Write("adapter_model.safetensors", "");
  EXPECT_THAT(Problem(), AllOf(HasSubstr("adapter"), HasSubstr("'Qwen/Qwen2.5-3B'"),
                               HasSubstr("merge_and_unload")));
  folder_.Write("config.json", "{}");
  EXPECT_THAT(Problem(), HasSubstr("adapter"));
  folder_.Write("model.safetensors", Safetensors({}));
  EXPECT_EQ(Problem(), "");
}

TEST_F(BaseFormatTest, NamesOtherFormatsAndTheWayOut) {
  for (const auto& [file, what] : std::vector<std::pair<std::string, std::string>>{
           {"pytorch_model.bin", "save_pretrained"},
           {"pytorch_model-00001-of-00002.bin", "save_pretrained"},
           {"model.pt", "save_pretrained"},
           {"qwen2.5-3b-q4_k_m.gguf", "GGUF"},
           {"consolidated.safetensors", "model.safetensors.index.json"},
           {"consolidated.00.pth", "authors"},
           {"tf_model.h5", "safetensors"},
           {"model-00001-of-00002.safetensors", "model.safetensors.index.json"},
           {"model.fp16.safetensors", "rename"}}) {
    const TemporaryFolder folder;
    folder.Write("config.json", "{}");
    folder.Write(file, "x");
    EXPECT_THAT(std::string(CheckBaseFormat(folder.path()).message()),
                AllOf(HasSubstr(file), HasSubstr(what)));
  }
}

TEST_F(BaseFormatTest, NamesAGitLfsPointer) {
  folder_.Write("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  EXPECT_THAT(Problem(), HasSubstr("git lfs pull"));
}

TEST_F(BaseFormatTest, LeavesWhatIsMissingOrDamagedToItsCaller) {
  EXPECT_EQ(Problem(), "");
  folder_.Write("config.json", "{");
  folder_.Write("training_args.bin", "x");
  folder_.Write("tokenizer.json", "{}");
  EXPECT_EQ(Problem(), "");
  folder_.Write("model.safetensors", "weights");
  EXPECT_EQ(Problem(), "");
  EXPECT_EQ(CheckBaseFormat(folder_.path() / "nowhere"), absl::OkStatus());
}

}  // namespace
}  // namespace mozgach
