// tests/interop/four_bit_checkpoint_test.py compares with bitsandbytes itself.
#include "trainer/quant/four_bit_checkpoint.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <map>

#include "tests/trainer/checkpoint/temporary_directory.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kName[] = "model.layers.0.mlp.up_proj.weight";
constexpr char kState[] = "model.layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4";

at::Tensor Dequantized(const QuantizedWeight& weight) {
  at::Tensor out = at::empty(weight.shape, at::kFloat);
  weight.DequantizeInto(out);
  return out;
}

at::Tensor BytesOf(const std::string& text) {
  at::Tensor bytes = at::empty({static_cast<int64_t>(text.size())}, at::kByte);
  std::memcpy(bytes.mutable_data_ptr(), text.data(), text.size());
  return bytes;
}

// One stored weight. Tests change the parts that they want to be wrong.
struct Stored {
  explicit Stored(bool double_quant = true)
      : weight(*QuantizeNf4(at::randn({24, 96}).to(at::kBFloat16), double_quant)) {
    for (const auto& [name, tensor] : FourBitTensors(kName, weight)) tensors[name] = tensor;
  }

  std::string json() const {
    const at::Tensor bytes = tensors.at(kState);
    return {static_cast<const char*>(bytes.const_data_ptr()), static_cast<size_t>(bytes.numel())};
  }

  void Replace(const std::string& from, const std::string& to) {
    std::string text = json();
    ASSERT_NE(text.find(from), std::string::npos) << from << " in " << text;
    text.replace(text.find(from), from.size(), to);
    tensors[kState] = BytesOf(text);
  }

  absl::StatusOr<QuantizedWeight> Read() const {
    std::vector<std::pair<std::string, at::Tensor>> list(tensors.begin(), tensors.end());
    EXPECT_TRUE(WriteSafetensors(directory / "model.safetensors", list, {}).ok());
    const auto files = WeightFiles::Open(directory.path());
    EXPECT_TRUE(files.ok()) << files.status();
    return ReadFourBit(*files, kName, {24, 96});
  }

  // The error message. The error must be DATA_LOSS and name file and tensor.
  std::string Refusal() const {
    const auto read = Read();
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << read.status();
    const std::string message(read.status().message());
    EXPECT_THAT(message, AllOf(HasSubstr("model.safetensors"), HasSubstr(kName)));
    return message;
  }

  TemporaryDirectory directory;
  QuantizedWeight weight;
  std::map<std::string, at::Tensor> tensors;
};

TEST(FourBitCheckpointTest, ReadsWrittenWeight) {
  for (bool double_quant : {true, false}) {
    const Stored stored(double_quant);
    const auto read = stored.Read();
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->double_quantized(), double_quant);
    EXPECT_EQ(read->dtype, at::kBFloat16);
    EXPECT_TRUE(at::equal(Dequantized(*read), Dequantized(stored.weight)));
  }
}

TEST(FourBitCheckpointTest, StateHasBitsandbytesSpelling) {
  const Stored stored(false);
  EXPECT_THAT(stored.json(),
              ::testing::StartsWith("{\"quant_type\": \"nf4\", \"blocksize\": 64, \"dtype\": "
                                    "\"bfloat16\", \"shape\": [24, 96]}"));
}

TEST(FourBitCheckpointTest, KeepsNextTensorAligned) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, 1}, {3, 5}, {7, 77}}) {
    const auto weight = QuantizeNf4(at::randn(shape), true);
    size_t bytes = 0;
    for (const auto& [name, tensor] : FourBitTensors(kName, *weight)) {
      EXPECT_EQ(bytes % tensor.element_size(), 0u) << name;
      bytes += tensor.nbytes();
    }
    EXPECT_EQ(bytes % 8, 0u);
  }
}

TEST(FourBitCheckpointTest, ReadsCodesStoredInOtherTypes) {
  for (at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf, at::kChar}) {
    Stored stored;
    stored.tensors[kName] = stored.tensors[kName].reshape({-1}).view(type).unsqueeze(1);
    const auto read = stored.Read();
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(at::equal(Dequantized(*read), Dequantized(stored.weight)));
  }
}

TEST(FourBitCheckpointTest, UsesLevelsOfTheFile) {
  Stored stored;
  const std::string map = std::string(kName) + ".quant_map";
  stored.tensors[map] = stored.tensors[map].mul(0.5);
  const auto read = stored.Read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(at::equal(Dequantized(*read), Dequantized(stored.weight).mul(0.5)));
}

TEST(FourBitCheckpointTest, RejectsDeepOrLongStateWithShortMessage) {
  Stored deep;
  deep.Replace("[24, 96]", std::string(400'000, '[') + std::string(400'000, ']'));
  EXPECT_THAT(deep.Refusal(), HasSubstr("not a JSON object"));
  Stored lengthy;
  lengthy.Replace("nf4", std::string(1'000'000, 'x'));
  EXPECT_LT(lengthy.Refusal().size(), 1000u);
}

TEST(FourBitCheckpointTest, ErrorNamesFaultInState) {
  const std::vector<std::vector<std::string>> faults = {
      {"\"nf4\"", "\"nf5\"", "'quant_type'"},
      {"64", "63", "'blocksize'"},
      {"64", "16", "'blocksize'"},
      {"64", "8192", "'blocksize'"},
      {"64", "-64", "'blocksize'"},
      {"64", "1e300", "'blocksize'"},
      {"\"blocksize\"", "\"blocksizes\"", "'blocksize'"},
      {"\"bfloat16\"", "\"int8\"", "'dtype'"},
      {"[24, 96]", "[24, 95]", "[24, 95]"},
      {"[24, 96]", "[24, -96]", "'shape'"},
      {"[24, 96]", "[4294967296, 4294967296]", "'shape'"},
      {"[24, 96]", "7", "'shape'"},
      {"\"nested_blocksize\": 256", "\"nested_blocksize\": 0", "'nested_blocksize'"},
      {"\"nested_blocksize\": 256", "\"nested_blocksize\": 2", "nested_absmax"},
      {"\"nested_dtype\": \"float32\"", "\"nested_dtype\": \"x\"", "'nested_dtype'"},
      {"\"nested_offset\"", "\"nested_onset\"", "'nested_offset'"},
      {"\"nested_offset\": ", "\"nested_offset\": 1e300, \"x\": ", "'nested_offset'"},
      {"{", "[", "not a JSON object"},
      {"nf4", "\xff\xfe", "not a JSON object"},
  };
  for (const auto& fault : faults) {
    Stored stored;
    stored.Replace(fault[0], fault[1]);
    EXPECT_THAT(stored.Refusal(), HasSubstr(fault[2])) << fault[1];
  }
}

TEST(FourBitCheckpointTest, ErrorNamesMissingOrWrongPart) {
  const std::string name = kName;
  const auto refusal = [&](const std::string& part, const at::Tensor& changed) {
    Stored stored;
    stored.tensors[name + part] = changed;
    return stored.Refusal();
  };
  EXPECT_THAT(refusal(".absmax", at::ones({35}, at::kByte)), HasSubstr("absmax has 35"));
  EXPECT_THAT(refusal(".absmax", at::ones({36})), HasSubstr("not uint8"));
  EXPECT_THAT(refusal(".nested_absmax", at::ones({2})), HasSubstr("nested_absmax has 2"));
  EXPECT_THAT(refusal(".nested_quant_map", at::ones({255})), HasSubstr("nested_quant_map has 255"));
  EXPECT_THAT(refusal(".quant_map", at::ones({15})), HasSubstr("quant_map has 15"));
  EXPECT_THAT(refusal(".quant_map", at::ones({16}, at::kInt)), HasSubstr("quant_map holds"));
  EXPECT_THAT(refusal(".quant_map", at::full({16}, std::numeric_limits<float>::quiet_NaN())),
              HasSubstr("not finite"));
  EXPECT_THAT(refusal("", at::ones({1151, 1}, at::kByte)), HasSubstr("1151 bytes"));
  EXPECT_THAT(refusal("", at::ones({24, 96}, at::kBFloat16)), HasSubstr("4608 bytes"));
  for (const char* part : {".absmax", ".quant_map", ".nested_quant_map"}) {
    Stored stored;
    stored.tensors.erase(name + part);
    EXPECT_THAT(stored.Refusal(), HasSubstr(std::string(part) + "' is missing"));
  }
  Stored single;
  single.tensors.erase(name + ".nested_absmax");
  EXPECT_THAT(single.Refusal(), HasSubstr("contradict"));
  Stored twice;
  twice.tensors[name + ".quant_state.bitsandbytes__fp4"] = twice.tensors[kState];
  EXPECT_THAT(twice.Refusal(), HasSubstr("two quant_states"));
}

TEST(FourBitCheckpointTest, DetectsFourBitWeightsByTheirParts) {
  Stored stored;
  stored.tensors["model.norm.weight"] = at::ones({4});
  ASSERT_TRUE(stored.Read().ok());
  const auto files = WeightFiles::Open(stored.directory.path());
  EXPECT_TRUE(IsFourBit(*files, kName));
  EXPECT_FALSE(IsFourBit(*files, "model.norm.weight"));
  EXPECT_TRUE(HasFourBit(*files));
}

}  // namespace
}  // namespace mozgach
