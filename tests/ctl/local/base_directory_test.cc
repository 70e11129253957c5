#include "ctl/local/base_directory.h"

#include <unistd.h>

#include <fstream>

#include "common/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/base_manifest.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

class BaseDirectoryTest : public testing::Test {
 protected:
  BaseDirectoryTest() {
    std::string pattern = (fs::temp_directory_path() / "mozgach_bases_XXXXXX").string();
    root_ = fs::canonical(::mkdtemp(pattern.data()));
  }
  ~BaseDirectoryTest() override { fs::remove_all(root_); }

  void Write(const fs::path& path, const std::string& bytes = "{}") {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << bytes;
  }
  void WriteBase(const fs::path& directory) {
    Write(directory / "config.json");
    Write(directory / "model.safetensors", "weights");
  }
  // As huggingface_hub lays it out.
  fs::path WriteCache() {
    const fs::path model = root_ / "hub/models--Qwen--Qwen2.5-3B";
    const fs::path snapshot = model / "snapshots" / kCommit;
    Write(model / "refs/main", kCommit);
    Write(model / "blobs/c0", "{}");
    Write(model / "blobs/w0", "weights");
    fs::create_directories(snapshot);
    fs::create_symlink("../../blobs/c0", snapshot / "config.json");
    fs::create_symlink("../../blobs/w0", snapshot / "model.safetensors");
    return model;
  }
  std::string Refusal(const fs::path& path, const std::string& name = "") {
    const auto base = ReadBaseDirectory(path, name);
    EXPECT_FALSE(base.ok());
    return std::string(base.status().message());
  }

  fs::path root_;
};

TEST_F(BaseDirectoryTest, NameIsTheLastTwoPartsOfThePath) {
  WriteBase("bases/mozgach/tiny");
  for (const char* path :
       {"bases/mozgach/tiny", "bases/mozgach/tiny/", "bases/mozgach/x/../tiny"}) {
    fs::create_directories(root_ / "bases/mozgach/x");
    const auto base = ReadBaseDirectory(root_ / path, "");
    ASSERT_TRUE(base.ok()) << base.status();
    EXPECT_EQ(base->name, "mozgach/tiny");
    EXPECT_EQ(base->size_bytes, 9u);
    EXPECT_THAT(base->revisions, IsEmpty());
  }
  EXPECT_EQ(ReadBaseDirectory(root_ / "bases/mozgach/tiny", "a/b")->name, "a/b");
  EXPECT_THAT(Refusal(root_ / "bases/mozgach/tiny", "../b"), HasSubstr("--name"));
}

TEST_F(BaseDirectoryTest, SnapshotOfTheCacheIsReadThroughItsLinks) {
  const fs::path model = WriteCache();
  for (const fs::path& path : {model, model / "snapshots" / kCommit}) {
    const auto base = ReadBaseDirectory(path, "");
    ASSERT_TRUE(base.ok()) << base.status();
    EXPECT_EQ(base->name, "Qwen/Qwen2.5-3B");
    EXPECT_THAT(base->revisions, ElementsAre(kCommit, "main"));
    const auto manifest = HashBase(*base, [](uint64_t) {});
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    EXPECT_EQ(manifest->files(1).path(), "model.safetensors");
    EXPECT_EQ(manifest->files(1).sha256(), Sha256Hex("weights"));
  }
}

TEST_F(BaseDirectoryTest, LinkThatLeavesDirectoryAndCacheIsRefused) {
  const fs::path model = WriteCache();
  Write("secret", "s");
  fs::create_symlink(root_ / "secret", model / "snapshots" / kCommit / "tokenizer.json");
  EXPECT_THAT(Refusal(model / "snapshots" / kCommit), HasSubstr("tokenizer.json is a link to"));
  WriteBase("plain/base");
  fs::create_symlink("../../secret", root_ / "plain/base/tokenizer.json");
  EXPECT_THAT(Refusal(root_ / "plain/base"), HasSubstr((root_ / "secret").string()));
}

TEST_F(BaseDirectoryTest, WhatIsNoBaseSaysWhatIsMissing) {
  Write("a/none/README.md");
  EXPECT_THAT(Refusal(root_ / "a/none"), HasSubstr("config.json"));
  Write("a/bare/config.json");
  EXPECT_THAT(Refusal(root_ / "a/bare"), HasSubstr("model.safetensors"));
  EXPECT_EQ(Refusal(root_ / "nowhere"), "there is no directory " + (root_ / "nowhere").string());
  EXPECT_THAT(Refusal(root_ / "a/bare/config.json"), HasSubstr("not a directory"));
}

TEST_F(BaseDirectoryTest, BasesThatCannotBeTrainedSayWhyAndWhatToUse) {
  WriteBase("a/gptq");
  Write("a/gptq/config.json",
        R"({"model_type": "qwen2", "quantization_config": {"quant_method": "gptq"}})");
  EXPECT_THAT(Refusal(root_ / "a/gptq"), HasSubstr("unquantised checkpoint"));
  Write("a/pickle/config.json");
  Write("a/pickle/pytorch_model.bin");
  EXPECT_THAT(Refusal(root_ / "a/pickle"), HasSubstr("save_pretrained"));
  Write("a/lora/adapter_config.json");
  EXPECT_THAT(Refusal(root_ / "a/lora"), HasSubstr("adapter"));
  WriteBase("a/mamba");
  Write("a/mamba/config.json", R"({"model_type": "mamba"})");
  EXPECT_THAT(Refusal(root_ / "a/mamba"), HasSubstr("'mamba' is not supported"));
}

}  // namespace
}  // namespace mozgach
