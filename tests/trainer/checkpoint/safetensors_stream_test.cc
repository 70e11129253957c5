#include "trainer/checkpoint/safetensors_stream.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/temporary_directory.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

TEST(SafetensorsStreamTest, WritesOneFileTensorByTensor) {
  TemporaryDirectory directory;
  const auto path = directory / "x.safetensors";
  const at::Tensor a = at::randn({3, 5}), b = at::arange(7, at::kByte);
  auto stream = SafetensorsStream::Create(path, HeaderRoom(2, 2));
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE(stream->Add("a", a.t()).ok());
  ASSERT_TRUE(stream->Add("b", b).ok());
  EXPECT_EQ(stream->tensor_bytes(), 67);
  ASSERT_TRUE(stream->Finish({{"format", "pt"}}).ok());
  const auto file = SafetensorsFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(at::equal((*file)->Tensor((*file)->tensors().at("a")), a.t()));
  EXPECT_TRUE(at::equal((*file)->Tensor((*file)->tensors().at("b")), b));
  EXPECT_EQ((*file)->metadata().at("format"), "pt");
}

TEST(SafetensorsStreamTest, UnfinishedFileCannotBeOpened) {
  TemporaryDirectory directory;
  auto stream = SafetensorsStream::Create(directory / "x", HeaderRoom(1, 1));
  ASSERT_TRUE(stream->Add("a", at::ones({100})).ok());
  EXPECT_FALSE(SafetensorsFile::Open(directory / "x").ok());
}

TEST(SafetensorsStreamTest, DoesNotOverwriteExistingFile) {
  TemporaryDirectory directory;
  directory.Write("x", "mine");
  EXPECT_FALSE(SafetensorsStream::Create(directory / "x", 1024).ok());
}

TEST(SafetensorsStreamTest, RejectsMisalignedTensorsAndTooLargeHeaders) {
  TemporaryDirectory directory;
  auto stream = SafetensorsStream::Create(directory / "x", 16);
  ASSERT_TRUE(stream->Add("odd", at::ones({3}, at::kByte)).ok());
  EXPECT_FALSE(stream->Add("wide", at::ones({3})).ok());
  EXPECT_FALSE(stream->Add("odd", at::ones({3}, at::kByte)).ok());
  EXPECT_EQ(stream->Finish({}).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace mozgach
