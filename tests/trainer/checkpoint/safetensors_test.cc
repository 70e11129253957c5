#include "trainer/checkpoint/safetensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/trainer/checkpoint/temporary_directory.h"

namespace mozgach {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string FileOf(const std::string& header, const std::string& tensors) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(header.size() >> (8 * i)));
  return bytes + header + tensors;
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The error for a file with these bytes. It must be DATA_LOSS and name the file.
std::string Refusal(const std::string& bytes) {
  TemporaryDirectory directory;
  const auto file = SafetensorsFile::Open(directory.Write("x.safetensors", bytes));
  EXPECT_EQ(file.status().code(), absl::StatusCode::kDataLoss) << file.status();
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("x.safetensors"));
  return std::string(file.status().message());
}

std::string RefusalOfEntry(const std::string& entry, const std::string& tensors) {
  return Refusal(FileOf("{\"a\": " + entry + "}", tensors));
}

TEST(SafetensorsTest, ReadsWrittenFile) {
  TemporaryDirectory directory;
  const auto path = directory / "x.safetensors";
  const at::Tensor a = at::randn({3, 5}), b = at::randn({7}).to(at::kBFloat16),
                   c = at::arange(4, at::kLong), empty = at::randn({0, 4});
  ASSERT_TRUE(WriteSafetensors(path, {{"b", b}, {"a", a.t()}, {"c", c}, {"empty", empty}},
                               {{"format", "pt"}})
                  .ok());
  const auto file = SafetensorsFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto& tensors = (*file)->tensors();
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_TRUE(at::equal((*file)->Tensor(tensors.at("a")), a.t()));
  EXPECT_TRUE(at::equal((*file)->Tensor(tensors.at("b")), b));
  EXPECT_TRUE(at::equal((*file)->Tensor(tensors.at("c")), c));
  EXPECT_EQ((*file)->Tensor(tensors.at("empty")).sizes(), at::IntArrayRef({0, 4}));
  EXPECT_EQ((*file)->metadata().at("format"), "pt");
}

TEST(SafetensorsTest, SameTensorsGiveSameBytes) {
  TemporaryDirectory directory;
  const at::Tensor a = at::randn({3, 5}), b = at::randn({2});
  ASSERT_TRUE(WriteSafetensors(directory / "1", {{"a", a}, {"b", b}}, {}).ok());
  ASSERT_TRUE(WriteSafetensors(directory / "2", {{"b", b}, {"a", a}}, {}).ok());
  EXPECT_EQ(ReadAll(directory / "1"), ReadAll(directory / "2"));
}

TEST(SafetensorsTest, TensorOutlivesFile) {
  TemporaryDirectory directory;
  const at::Tensor a = at::full({1000}, 7.0f);
  ASSERT_TRUE(WriteSafetensors(directory / "x", {{"a", a}}, {}).ok());
  at::Tensor read;
  {
    const auto file = SafetensorsFile::Open(directory / "x");
    read = (*file)->Tensor((*file)->tensors().at("a"));
    (*file)->Release((*file)->tensors().at("a"));
  }
  std::filesystem::remove(directory / "x");
  EXPECT_TRUE(at::equal(read, a));
}

TEST(SafetensorsTest, ReadsUnalignedTensors) {
  TemporaryDirectory directory;
  const auto path =
      directory.Write("x", FileOf("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]},"
                                  "\"u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
                                  std::string("\x01\x00\x00\x80\x3f", 5)));
  const auto file = SafetensorsFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->Tensor((*file)->tensors().at("a")).item<float>(), 1.0f);
}

TEST(SafetensorsTest, RejectsEveryPrefixOfFile) {
  TemporaryDirectory directory;
  ASSERT_TRUE(
      WriteSafetensors(directory / "x", {{"a", at::randn({3})}, {"b", at::randn({2})}}, {}).ok());
  const std::string whole = ReadAll(directory / "x");
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto path = directory.Write("cut", whole.substr(0, size));
    EXPECT_EQ(SafetensorsFile::Open(path).status().code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST(SafetensorsTest, RejectsTooLongHeader) {
  EXPECT_THAT(Refusal(std::string(8, '\xff') + "{}"), HasSubstr("not a safetensors file"));
  EXPECT_THAT(Refusal(std::string("\x40\0\0\0\0\0\0\0{}", 10)), HasSubstr("cut off"));
}

TEST(SafetensorsTest, RejectsHeaderThatIsNotAJsonObjectInUtf8) {
  EXPECT_THAT(Refusal(FileOf("{\"a\":", "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(Refusal(FileOf("[]", "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(Refusal(FileOf("{\"\xff\xfe\":{}}", "")), HasSubstr("UTF-8"));
  EXPECT_THAT(Refusal(FileOf(std::string(200000, '['), "")), HasSubstr("nested more than"));
}

TEST(SafetensorsTest, AcceptsManyEmptyTensorsButRejectsMillionsOfValues) {
  std::string header = "{\"z\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
  for (int i = 0; i < 100'000; ++i) {
    header +=
        ",\"" + std::to_string(i) + "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
  }
  const TemporaryDirectory directory;
  const auto file = SafetensorsFile::Open(directory.Write("x", FileOf(header + "}", "")));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->tensors().size(), 100'001u);
  std::string values = "{\"a\":[0";
  for (int i = 0; i < 5'000'000; ++i) values += ",0";
  EXPECT_THAT(Refusal(FileOf(values + "]}", "")), HasSubstr("values"));
}

TEST(SafetensorsTest, RejectsDuplicateName) {
  const std::string entry = "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}";
  EXPECT_THAT(Refusal(FileOf("{\"a\":" + entry + ",\"a\":" + entry + "}", "x")),
              HasSubstr("'a' twice"));
}

TEST(SafetensorsTest, ErrorNamesTensorAndFaultOfWrongEntry) {
  EXPECT_THAT(RefusalOfEntry("{\"dtype\":\"Q7\",\"shape\":[1],\"data_offsets\":[0,1]}", "x"),
              AllOf(HasSubstr("tensor 'a'"), HasSubstr("'Q7'")));
  EXPECT_THAT(RefusalOfEntry("{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,1]}", "x"),
              HasSubstr("needs 2"));
  EXPECT_THAT(RefusalOfEntry("{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}", "x"),
              HasSubstr("beyond the end"));
  EXPECT_THAT(RefusalOfEntry("{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[1,0]}", "x"),
              HasSubstr("data_offsets"));
  EXPECT_THAT(RefusalOfEntry("{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}", "x"),
              HasSubstr("impossible shape"));
  EXPECT_THAT(RefusalOfEntry("{\"dtype\":\"F64\",\"shape\":[4294967296,4294967296,4294967296],"
                             "\"data_offsets\":[0,0]}",
                             "x"),
              HasSubstr("impossible shape"));
  EXPECT_THAT(RefusalOfEntry("{\"dtype\":\"U8\",\"shape\":[1]}", "x"), HasSubstr("lacks"));
  EXPECT_THAT(RefusalOfEntry("7", "x"), HasSubstr("lacks"));
}

TEST(SafetensorsTest, RejectsOverlapsAndGaps) {
  const auto entry = [](const std::string& offsets) {
    return "{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":" + offsets + "}";
  };
  EXPECT_THAT(Refusal(FileOf("{\"a\":" + entry("[0,2]") + ",\"b\":" + entry("[1,3]") + "}", "xyz")),
              HasSubstr("overlaps"));
  EXPECT_THAT(
      Refusal(FileOf("{\"a\":" + entry("[0,2]") + ",\"b\":" + entry("[3,5]") + "}", "vwxyz")),
      HasSubstr("unused bytes"));
  EXPECT_THAT(Refusal(FileOf("{\"a\":" + entry("[0,2]") + "}", "xyz")),
              HasSubstr("follow the last tensor"));
}

TEST(SafetensorsTest, RejectsDirectoryAndMissingFile) {
  TemporaryDirectory directory;
  EXPECT_EQ(SafetensorsFile::Open(directory.path()).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(SafetensorsFile::Open(directory / "none").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace mozgach
