#include "registry/adapter_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/registry/temporary_directory.h"
#include "tests/registry/weights.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class AdapterBytesTest : public ::testing::Test {
 protected:
  absl::Status Check(const std::string& bytes, const std::string& name = "adapter_model.safetensors") {
    const auto file = directory_.path() / "blob";
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    return CheckAdapterBytes(name, file);
  }
  // A file with that header and `data` bytes after it.
  absl::Status CheckHeader(const std::string& header, size_t data = 0) {
    return Check(WithHeader(header, std::string(data, 'x')));
  }

  TemporaryDirectory directory_;
};

TEST_F(AdapterBytesTest, WeightsAreTaken) {
  EXPECT_EQ(Check(Weights("tensors")), absl::OkStatus());
  EXPECT_EQ(Check(Weights("")), absl::OkStatus());
  EXPECT_EQ(CheckHeader(R"({"__metadata__": {"format": "pt"},
      "b": {"dtype": "F16", "shape": [2, 1], "data_offsets": [2, 6]},
      "a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}  )", 6), absl::OkStatus());
  EXPECT_EQ(Check("GGUF\3", "law.gguf"), absl::OkStatus());
}

TEST_F(AdapterBytesTest, WhatOnlyHasTheNameIsRefused) {
  const std::string pickle = std::string("\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x05posix\x94", 19);
  const std::string zip = std::string("PK\x03\x04\x00\x00\x08\x08", 8) + std::string(100, 'x');
  for (const std::string& bytes : {std::string(), std::string("1234567"), pickle, zip,
                                   std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10),
                                   std::string("\x03\0\0\0\0\0\0\0{}", 10)}) {
    const absl::Status status = Check(bytes);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr("adapter_model.safetensors is no safetensors file"));
  }
  EXPECT_THAT(Check(pickle, "law.gguf").message(), HasSubstr("law.gguf is no GGUF file"));
}

TEST_F(AdapterBytesTest, HeaderWhoseTensorsDoNotFillTheFileIsRefused) {
  const std::string tensor = R"({"dtype": "U8", "shape": [2], "data_offsets": )";
  for (const std::string& header :
       {std::string("[]"), std::string("{"), R"({"a": )" + tensor + "[0, 3]}}", R"({"a": )" + tensor + "[2, 0]}}",
        R"({"a": )" + tensor + "[-2, 0]}}", R"({"a": )" + tensor + "[0]}}", R"({"a": )" + tensor + "7}}",
        R"({"a": )" + tensor + "[0, 18446744073709551615]}}", std::string(R"({"a": 7})"),
        R"({"a": )" + tensor + R"([0, 1]}, "b": )" + tensor + "[0, 2]}}",
        R"({"a": )" + tensor + R"([0, 0]}, "b": )" + tensor + "[1, 2]}}", std::string(900, '[')}) {
    const absl::Status status = CheckHeader(header, 2);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << header << ": " << status;
  }
}

TEST_F(AdapterBytesTest, TextIsNotLookedAt) {
  EXPECT_EQ(Check("PK\x03\x04", "README.md"), absl::OkStatus());
  EXPECT_EQ(Check("", "adapter_config.json"), absl::OkStatus());
}

TEST_F(AdapterBytesTest, WhatCannotBeReadIsNoFaultOfTheWeights) {
  EXPECT_TRUE(absl::IsUnavailable(CheckAdapterBytes("a.safetensors", directory_.path() / "none")));
}

}  // namespace
}  // namespace mozgach
