#include "registry/adapter_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>

#include "absl/strings/str_replace.h"
#include "tests/registry/temporary_directory.h"
#include "tests/registry/weights.h"

namespace mozgach {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kBase[] = "mozgach/tiny";
constexpr char kConfig[] = "adapter_config.json";
constexpr char kWeights[] = "adapter_model.safetensors";

class AdapterBytesTest : public ::testing::Test {
 protected:
  AdapterBytesTest() {
    files_[kConfig] = AdapterConfigText(kBase);
    files_[kWeights] = Weights("tensors");
  }

  absl::Status Check() {
    std::vector<VersionFile> files;
    int number = 0;
    std::map<std::string, std::filesystem::path> places;
    for (const auto& [name, bytes] : files_) {
      places[name] = directory_.path() / std::to_string(++number);
      std::ofstream(places[name], std::ios::binary | std::ios::trunc) << bytes;
      files.push_back({name, "", bytes.size()});
    }
    return CheckAdapterFiles(files, kBase, [&](const VersionFile& file) {
      return absl::StatusOr<std::filesystem::path>(places[file.path]);
    });
  }
  absl::Status With(const std::string& name, const std::string& bytes) {
    const auto before = files_;
    files_[name] = bytes;
    const absl::Status status = Check();
    files_ = before;
    return status;
  }
  // The configuration with `from` replaced by `to`.
  absl::Status WithConfig(const std::string& from, const std::string& to) {
    EXPECT_THAT(files_[kConfig], HasSubstr(from));
    return With(kConfig, absl::StrReplaceAll(files_[kConfig], {{from, to}}));
  }
  static std::string Tensor(const std::string& module, const std::string& matrix,
                            const std::string& shape, size_t begin, size_t end,
                            const std::string& dtype = "F32") {
    return absl::StrCat("\"base_model.model.", module, ".", matrix, "\":{\"dtype\":\"", dtype,
                        "\",\"shape\":[", shape, "],\"data_offsets\":[", begin, ",", end, "]}");
  }
  absl::Status WithTensors(const std::vector<std::string>& tensors, size_t bytes) {
    std::string header = "{";
    for (const std::string& tensor : tensors) {
      absl::StrAppend(&header, header == "{" ? "" : ",", tensor);
    }
    return With(kWeights, WithHeader(header + "}", std::string(bytes, 'x')));
  }

  TemporaryDirectory directory_;
  std::map<std::string, std::string> files_;
};

void ExpectRefused(const absl::Status& status, const std::string& file, const std::string& why) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(file), HasSubstr(why)));
}

TEST_F(AdapterBytesTest, AcceptsAnAdapterOfItsBase) {
  EXPECT_EQ(Check(), absl::OkStatus());
  files_["README.md"] = "PK\x03\x04";
  files_["gguf/law.gguf"] = "GGUF\3";
  files_["mlx/adapter_config.json"] = R"({"model": "mozgach/tiny", "num_layers": 2})";
  files_["mlx/adapters.safetensors"] =
      WithHeader(R"({"a": {"dtype": "F16", "shape": [2, 1], "data_offsets": [0, 4]}}  )", "xxxx");
  EXPECT_EQ(Check(), absl::OkStatus());
}

TEST_F(AdapterBytesTest, RejectsAResultWithoutWeightsOrConfiguration) {
  files_.erase(kWeights);
  ExpectRefused(Check(), kWeights, "no weights");
  files_[kWeights] = Weights("");
  files_.erase(kConfig);
  ExpectRefused(Check(), kConfig, "has no");
}

TEST_F(AdapterBytesTest, RejectsAConfigurationThatReadersCannotUse) {
  for (const char* text : {"", "{", "[]", "7", "null", "{} {}"}) {
    ExpectRefused(With(kConfig, text), kConfig, "");
  }
  ExpectRefused(With(kConfig, std::string(900, '[')), kConfig, "");
  ExpectRefused(With(kConfig, "{\"a\": \"" + std::string(2 << 20, 'x') + "\"}"), kConfig, "1 MiB");
  ExpectRefused(WithConfig("LORA", "IA3"), kConfig, "peft_type is IA3");
  ExpectRefused(WithConfig("\"peft_type\": \"LORA\", ", ""), kConfig, "'peft_type' is missing");
  for (const char* rank : {"\"8\"", "0", "-1", "1.0", "true", "[1]", "null", "1e300"}) {
    ExpectRefused(WithConfig("\"r\": 1", std::string("\"r\": ") + rank), kConfig, "'r'");
  }
  ExpectRefused(WithConfig("\"r\": 1, ", ""), kConfig, "'r' is missing");
  for (const char* modules : {"null", "[]", "7", "[1]", "\"\"", "[\"\"]", "{}"}) {
    ExpectRefused(WithConfig("[\"q_proj\"]", modules), kConfig, "'target_modules'");
  }
  ExpectRefused(WithConfig("\"r\": 1", "\"r\": 1, \"use_dora\": \"no\""), kConfig, "'use_dora'");
}

TEST_F(AdapterBytesTest, RejectsAnAdapterOfAnotherBase) {
  ExpectRefused(WithConfig(kBase, "mozgach/other"), kConfig, "base 'mozgach/other'");
  ExpectRefused(WithConfig(kBase, "/srv/bases/mozgach/tiny"), kConfig, "trains on 'mozgach/tiny'");
  ExpectRefused(WithConfig("\"mozgach/tiny\"", "null"), kConfig, "base_model_name_or_path");
  ExpectRefused(With("mlx/adapter_config.json", R"({"model": "other"})"), "mlx/", "base 'other'");
  ExpectRefused(With("mlx/adapter_config.json", "[]"), "mlx/adapter_config.json", "");
}

TEST_F(AdapterBytesTest, RejectsFilesThatOnlyHaveTheName) {
  const std::string pickle = std::string("\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x05posix\x94", 19);
  const std::string zip = std::string("PK\x03\x04\x00\x00\x08\x08", 8) + std::string(100, 'x');
  for (const std::string& bytes : {std::string(), std::string("1234567"), pickle, zip,
                                   std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10),
                                   std::string("\x03\0\0\0\0\0\0\0{}", 10)}) {
    ExpectRefused(With(kWeights, bytes), kWeights, "not a safetensors file");
    ExpectRefused(With("mlx/adapters.safetensors", bytes), "mlx/adapters.safetensors", "");
  }
  ExpectRefused(With("law.gguf", pickle), "law.gguf", "not a GGUF file");
}

TEST_F(AdapterBytesTest, RejectsAHeaderThatDoesNotDescribeItsFile) {
  const std::string tensor = R"({"dtype": "F16", "shape": [1], "data_offsets": )";
  const std::string good = R"("x": )" + tensor + "[0, 2]}";
  for (const std::string& header :
       {std::string("[]"),
        std::string("{"),
        R"({"a": )" + tensor + "[0, 3]}}",
        R"({"a": )" + tensor + "[2, 0]}}",
        R"({"a": )" + tensor + "[-2, 0]}}",
        R"({"a": )" + tensor + "[0]}}",
        R"({"a": )" + tensor + "7}}",
        R"({"a": )" + tensor + "[0, 18446744073709551615]}}",
        std::string(R"({"a": 7})"),
        R"({"a": )" + tensor + R"([0, 2]}, "b": )" + tensor + "[0, 2]}}",
        R"({"a": )" + tensor + R"([0, 2]}, "a": )" + tensor + "[2, 4]}}",
        R"({"a": )" + tensor + R"([0, 2]}, "b": )" + tensor + "[3, 5]}}",
        std::string(R"({"a": {"dtype": "F16", "shape": [1]}})"),
        std::string(R"({"a": {}})"),
        std::string(R"({"a": {"dtype": "F16", "shape": [1.0], "data_offsets": [0, 2]}})"),
        std::string(R"({"a": {"dtype": "F16", "shape": [[1]], "data_offsets": [0, 2]}})"),
        std::string(R"({"a": {"dtype": 7, "shape": [1], "data_offsets": [0, 2]}})"),
        "{" + good + R"(, "more": {"a": {"b": 1}}})",
        std::string(900, '['),
        std::string(900, '{')}) {
    ExpectRefused(With(kWeights, WithHeader(header, "xx")), kWeights, "its ");
  }
}

TEST_F(AdapterBytesTest, RejectsTypesAndShapesThatAreNotTheirBytes) {
  const std::string q = "model.layers.0.self_attn.q_proj";
  const auto pair = [&](const std::string& dtype, const std::string& shape, size_t bytes) {
    return WithTensors({Tensor(q, "lora_A.weight", shape, 0, bytes, dtype),
                        Tensor(q, "lora_B.weight", "4,1", bytes, bytes + 16)},
                       bytes + 16);
  };
  EXPECT_EQ(pair("F32", "1,4", 16), absl::OkStatus());
  EXPECT_EQ(pair("BF16", "1,4", 8), absl::OkStatus());
  for (const char* dtype : {"I32", "U8", "F8_E4M3", "F64", "BOOL", "", "f32"}) {
    ExpectRefused(pair(dtype, "1,4", 16), kWeights, "has the type");
  }
  ExpectRefused(pair("F32", "1,5", 16), kWeights, "has the shape [1, 5] of F32, but 16 bytes");
  ExpectRefused(pair("F32", "0,4", 0), kWeights, "shape");
  ExpectRefused(pair("F32", "4294967296,4294967296,4", 16), kWeights, "shape");
  ExpectRefused(pair("F32", "1,2,2", 16), kWeights, "not a matrix");
}

TEST_F(AdapterBytesTest, RejectsTensorsThatTheConfigurationDoesNotExplain) {
  const std::string q = "model.layers.0.self_attn.q_proj", k = "model.layers.0.self_attn.k_proj";
  const std::string a = Tensor(q, "lora_A.weight", "1,1", 0, 4);
  const std::string b = Tensor(q, "lora_B.weight", "1,1", 4, 8);
  EXPECT_EQ(WithTensors({a, b}, 8), absl::OkStatus());
  ExpectRefused(WithTensors({a}, 4), kWeights, "without a lora_B");
  ExpectRefused(WithTensors({}, 0), kWeights, "no LoRA matrices");
  ExpectRefused(WithTensors({Tensor(q, "lora_B.weight", "1,1", 0, 4)}, 4), kWeights, "no lora_A");
  ExpectRefused(WithTensors({a, Tensor(q, "lora_B.weight", "1,2", 4, 12)}, 12), kWeights, "rank");
  ExpectRefused(
      WithTensors(
          {Tensor(q, "lora_A.weight", "2,1", 0, 8), Tensor(q, "lora_B.weight", "1,2", 8, 16)}, 16),
      kWeights, "of rank 2");
  ExpectRefused(WithTensors({a, b, Tensor(k, "lora_A.weight", "1,1", 8, 12),
                             Tensor(k, "lora_B.weight", "1,1", 12, 16)},
                            16),
                kWeights, "not among the target modules");
  ExpectRefused(WithTensors({a, b, Tensor("lm_head", "weight", "1,1", 8, 12)}, 12), kWeights,
                "not explained");
  ExpectRefused(WithTensors({a, b, Tensor(q, "lora_magnitude_vector", "1", 8, 12)}, 12), kWeights,
                "not explained");
  ExpectRefused(WithConfig("[\"q_proj\"]", "[\"q_proj\", \"v_proj\"]"), kWeights, "'v_proj'");
  ExpectRefused(WithConfig("\"r\": 1", "\"r\": 1, \"layers_to_transform\": [3]"), kWeights,
                "layer");
  ExpectRefused(WithConfig("\"r\": 1", "\"r\": 1, \"use_dora\": true"), kWeights, "magnitude");
}

TEST_F(AdapterBytesTest, AcceptsWhatTheConfigurationExplains) {
  const std::string q = "model.layers.0.self_attn.q_proj";
  const std::vector<std::string> two = {Tensor(q, "lora_A.weight", "2,1", 0, 8),
                                        Tensor(q, "lora_B.weight", "1,2", 8, 16)};
  files_[kConfig] = absl::StrReplaceAll(
      AdapterConfigText(kBase),
      {{"\"r\": 1", "\"r\": 1, \"rank_pattern\": {\"layers.0.self_attn.q_proj\": 2}"}});
  EXPECT_EQ(WithTensors(two, 16), absl::OkStatus());
  files_[kConfig] =
      absl::StrReplaceAll(AdapterConfigText(kBase), {{"\"r\": 1",
                                                      "\"r\": 2, \"use_dora\": true, "
                                                      "\"modules_to_save\": [\"lm_head\"]"},
                                                     {"[\"q_proj\"]", "\"all-linear\""}});
  EXPECT_EQ(WithTensors({two[0], two[1], Tensor(q, "lora_magnitude_vector", "1", 16, 20),
                         Tensor("lm_head", "weight", "1,1", 20, 24)},
                        24),
            absl::OkStatus());
}

TEST_F(AdapterBytesTest, HeadersAndPatternsCostLittle) {
  std::string header = "{";
  for (int i = 0; header.size() < (15 << 20); ++i) {
    absl::StrAppend(&header, i == 0 ? "" : ",", "\"", std::string(900, 'a'), i,
                    "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[", 4 * i, ",", 4 * i + 4,
                    "]}");
  }
  const std::string many = WithHeader(header + "}", "");
  for (int i = 0; i < 200; ++i) files_[std::to_string(i) + "/x.safetensors"] = "x";
  files_["0/x.safetensors"] = many;
  const auto start = std::chrono::steady_clock::now();
  ExpectRefused(Check(), "0/x.safetensors", "its tensors take");
  ExpectRefused(WithConfig("[\"q_proj\"]", R"("(a+)+$")"), "x.safetensors", "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  std::erase_if(files_, [](const auto& file) { return file.first.ends_with("/x.safetensors"); });
  ExpectRefused(With(kWeights, WithHeader(std::string(17 << 20, ' '), "")), kWeights, "16 MiB");
}

TEST_F(AdapterBytesTest, AFileThatCannotBeReadIsNotTheWorkersFault) {
  const absl::Status status =
      CheckAdapterFiles({{kWeights, "", 1}}, kBase, [&](const VersionFile&) {
        return absl::StatusOr<std::filesystem::path>(directory_.path() / "none");
      });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

}  // namespace
}  // namespace mozgach
