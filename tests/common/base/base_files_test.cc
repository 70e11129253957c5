#include "common/base/base_files.h"

#include <unistd.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BaseFilesTest : public testing::Test {
 protected:
  BaseFilesTest() {
    std::string pattern = (fs::temp_directory_path() / "mozgach_base_XXXXXX").string();
    root_ = fs::canonical(::mkdtemp(pattern.data()));
    base_ = root_ / "base";
    fs::create_directories(base_);
  }
  ~BaseFilesTest() override { fs::remove_all(root_); }

  void Write(const fs::path& path, const std::string& bytes = "{}") {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  // An index that names `shards`.
  void WriteIndex(const std::vector<std::string>& shards) {
    std::string map;
    for (const std::string& shard : shards) {
      map += (map.empty() ? "" : ",") + ("\"t" + shard + "\":\"" + shard + "\"");
    }
    Write(base_ / kBaseIndex, "{\"weight_map\":{" + map + "}}");
  }
  std::vector<std::string> Names() {
    const auto files = ListBaseFiles(base_, {base_});
    EXPECT_TRUE(files.ok()) << files.status();
    std::vector<std::string> names;
    for (const BaseFile& file : files.value_or(std::vector<BaseFile>())) names.push_back(file.name);
    return names;
  }
  absl::Status Refusal() { return ListBaseFiles(base_, {base_}).status(); }

  fs::path root_, base_;
};

TEST_F(BaseFilesTest, OnlyWhatABaseConsistsOfIsTaken) {
  for (const char* name :
       {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
        "chat_template.jinja", "model.safetensors", "additional_chat_templates/tool_use.jinja"}) {
    Write(base_ / name);
  }
  for (const char* name : {".git/config", "pytorch_model.bin", "model.gguf", "README.md",
                           "consolidated.safetensors", "original/model.safetensors", ".env"}) {
    Write(base_ / name);
  }
  EXPECT_THAT(Names(), ElementsAre("additional_chat_templates/tool_use.jinja",
                                   "chat_template.jinja", "config.json", "generation_config.json",
                                   "model.safetensors", "tokenizer.json", "tokenizer_config.json"));
}

TEST_F(BaseFilesTest, ShardsAreThoseOfTheIndex) {
  Write(base_ / "a-00001-of-00002.safetensors", "12");
  Write(base_ / "a-00002-of-00002.safetensors", "345");
  WriteIndex({"a-00001-of-00002.safetensors", "a-00002-of-00002.safetensors"});
  EXPECT_THAT(Names(), ElementsAre("a-00001-of-00002.safetensors", "a-00002-of-00002.safetensors",
                                   kBaseIndex));
  EXPECT_EQ(ListBaseFiles(base_, {base_})->at(1).size, 3u);
}

TEST_F(BaseFilesTest, ASingleFileGoesBeforeAnIndex) {
  Write(base_ / "a.safetensors", "12");
  Write(base_ / kBaseWeights, "345");
  WriteIndex({"a.safetensors"});
  EXPECT_THAT(Names(), ElementsAre(kBaseWeights));
}

TEST_F(BaseFilesTest, AShardThatIsNotThereIsNamed) {
  WriteIndex({"a.safetensors"});
  EXPECT_TRUE(absl::IsNotFound(Refusal())) << Refusal();
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr("a.safetensors"));
}

TEST_F(BaseFilesTest, AnIndexThatPointsElsewhereIsRefused) {
  for (const char* shard : {"../x.safetensors", "/etc/passwd", "", ".hidden", "a/b.safetensors"}) {
    WriteIndex({shard});
    EXPECT_TRUE(absl::IsInvalidArgument(Refusal())) << shard << ": " << Refusal();
  }
  for (const char* text : {"", "[]", "{}", "{\"weight_map\": 1}", "{\"weight_map\": {\"a\": 1}}"}) {
    Write(base_ / kBaseIndex, text);
    EXPECT_TRUE(absl::IsInvalidArgument(Refusal())) << text << ": " << Refusal();
  }
}

TEST_F(BaseFilesTest, LinksThatStayInsideAreFollowed) {
  Write(base_ / "store/weights", "1234");
  fs::create_symlink("store/weights", base_ / "model.safetensors");
  const auto files = ListBaseFiles(base_, {base_});
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->at(0).path, base_ / "store/weights");
  EXPECT_EQ(files->at(0).size, 4u);
}

TEST_F(BaseFilesTest, LinksThatLeaveAreRefusedWithTheirTarget) {
  Write(root_ / "base-secret", "s");
  fs::create_symlink("../base-secret", base_ / "config.json");
  EXPECT_TRUE(absl::IsFailedPrecondition(Refusal()));
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr((root_ / "base-secret").string()));
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr("put the file itself there"));
  EXPECT_TRUE(ListBaseFiles(base_, {base_, root_}).ok()) << "where the caller allows it";
}

TEST_F(BaseFilesTest, LinksToNowhereInACircleAndToDirectoriesAreErrors) {
  fs::create_symlink("nothing", base_ / "config.json");
  EXPECT_FALSE(Refusal().ok());
  fs::remove(base_ / "config.json");
  fs::create_symlink("config.json", base_ / "config.json");
  EXPECT_FALSE(Refusal().ok());
  fs::remove(base_ / "config.json");
  fs::create_directories(base_ / "config.json");
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr("not a regular file"));
}

TEST_F(BaseFilesTest, ADirectoryWithoutABaseHasNoFiles) { EXPECT_THAT(Names(), IsEmpty()); }

TEST_F(BaseFilesTest, NamesThatLeadElsewhereAreNone) {
  for (const char* name : {"config.json", "a/b.jinja", "model-00001-of-00002.safetensors"}) {
    EXPECT_TRUE(IsBaseFileName(name)) << name;
  }
  for (const std::string& name :
       {std::string(""), std::string(".."), std::string("../a"), std::string("/a"),
        std::string("a/"), std::string("a/b/c"), std::string(".git"), std::string("a\nb"),
        std::string("a\0b", 3), std::string("a b"), std::string(256, 'a')}) {
    EXPECT_FALSE(IsBaseFileName(name)) << name;
  }
}

TEST_F(BaseFilesTest, TheCachesFoldersAreKnownByTheirNames) {
  EXPECT_EQ(HubModelName("/hub/models--Qwen--Qwen2.5-3B"), "Qwen/Qwen2.5-3B");
  EXPECT_EQ(HubModelName("/hub/models--gpt2"), "gpt2");
  EXPECT_EQ(HubModelName("/hub/datasets--x--y"), "");
  EXPECT_EQ(HubModelFolder("/hub/models--a--b/snapshots/0123"), fs::path("/hub/models--a--b"));
  EXPECT_EQ(HubModelFolder("/hub/models--a--b/blobs/0123"), fs::path());
  EXPECT_EQ(HubModelFolder("/hub/other/snapshots/0123"), fs::path());
}

}  // namespace
}  // namespace mozgach
