#include "worker/session/base_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/utf8.h"
#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";
constexpr char kOther[] = "fedcba9876543210fedcba9876543210fedcba98";

class BaseFolderTest : public ::testing::Test {
 protected:
  void Cached(const std::string& commit) {
    folder_.WriteBase("models--Qwen--Qwen2.5-3B/snapshots/" + commit);
  }
  FoundBases Scan() const { return FoundBases::Scan({folder_.path()}); }

  TemporaryFolder folder_;
};

TEST_F(BaseFolderTest, PlainDirectoriesAreFoundByTheirHubNames) {
  folder_.WriteBase("Qwen/Qwen2.5-3B");
  folder_.WriteBase("gpt2");
  folder_.Write("Qwen/unfinished/model.safetensors", "");
  const FoundBases found = Scan();
  EXPECT_EQ(found.all().size(), 2);
  EXPECT_EQ(*found.Find("Qwen/Qwen2.5-3B", ""), folder_.path() / "Qwen/Qwen2.5-3B");
  EXPECT_EQ(*found.Find("gpt2", ""), folder_.path() / "gpt2");
}

TEST_F(BaseFolderTest, CacheOfHuggingFaceServesTheRevisionAskedForAndMainOtherwise) {
  Cached(kCommit);
  Cached(kOther);
  folder_.Write("models--Qwen--Qwen2.5-3B/refs/main", kCommit);
  folder_.Write("models--Qwen--Qwen2.5-3B/refs/pr/7", std::string(kOther) + "\n");
  const FoundBases found = Scan();
  EXPECT_EQ(found.Find("Qwen/Qwen2.5-3B", "")->filename(), kCommit);
  EXPECT_EQ(found.Find("Qwen/Qwen2.5-3B", "main")->filename(), kCommit);
  EXPECT_EQ(found.Find("Qwen/Qwen2.5-3B", "pr/7")->filename(), kOther);
  EXPECT_EQ(found.Find("Qwen/Qwen2.5-3B", kOther)->filename(), kOther);
  EXPECT_THAT(std::string(found.Find("Qwen/Qwen2.5-3B", "v2").status().message()),
              HasSubstr("main"));
}

TEST_F(BaseFolderTest, BasesThatCannotBeTrainedHaveAProblem) {
  folder_.WriteBase("a/gptq", R"({"quantization_config": {"quant_method": "gptq"}})");
  folder_.Write("a/lora/adapter_config.json", "{}");
  folder_.Write("a/gguf/model-q4.gguf", "");
  folder_.Write("pickle/config.json", "{}");
  folder_.Write("pickle/pytorch_model.bin", "");
  folder_.Write(std::string("models--b--lora/snapshots/") + kCommit + "/adapter_config.json", "{}");
  const FoundBases found = Scan();
  for (const auto& [name, what] :
       std::vector<std::pair<std::string, std::string>>{{"a/gptq", "GPTQ"},
                                                        {"a/lora", "adapter"},
                                                        {"a/gguf", "GGUF"},
                                                        {"pickle", "save_pretrained"},
                                                        {"b/lora", "adapter"}}) {
    ASSERT_TRUE(found.all().contains(name)) << name;
    EXPECT_THAT(found.all().at(name).problem, HasSubstr(what));
    EXPECT_THAT(std::string(found.Find(name, "").status().message()), HasSubstr(what));
  }
  EXPECT_EQ(found.all().size(), 5u);
}

TEST_F(BaseFolderTest, AFolderOfBasesMayHoldOtherFiles) {
  folder_.WriteBase("a/good");
  folder_.Write("a/stray.gguf", "");
  const FoundBases found = Scan();
  EXPECT_EQ(found.all().size(), 1u);
  EXPECT_TRUE(found.Find("a/good", "").ok());
}

TEST_F(BaseFolderTest, PlainDirectoryHasNoRevisions) {
  folder_.WriteBase("Qwen/Qwen2.5-3B");
  EXPECT_TRUE(absl::IsNotFound(Scan().Find("Qwen/Qwen2.5-3B", "main").status()));
}

TEST_F(BaseFolderTest, RefsThatLeadOutOfTheCacheAreNotFollowed) {
  Cached(kCommit);
  folder_.Write("models--Qwen--Qwen2.5-3B/refs/main", "../../../elsewhere");
  folder_.WriteBase("elsewhere");
  const FoundBases found = Scan();
  EXPECT_EQ(found.Find("Qwen/Qwen2.5-3B", "")->filename(), kCommit) << "the only snapshot";
  EXPECT_FALSE(found.Find("Qwen/Qwen2.5-3B", "main").ok());
}

TEST_F(BaseFolderTest, NamesThatLeadElsewhereAreNotFound) {
  folder_.WriteBase("Qwen/Qwen2.5-3B");
  for (const char* name : {"..", "../x", "Qwen/..", "/etc", "Qwen/Qwen2.5-3B/", ""}) {
    EXPECT_TRUE(absl::IsNotFound(Scan().Find(name, "").status())) << name;
  }
}

TEST_F(BaseFolderTest, LinksIntoTheBlobsOfTheCacheAreFollowedAndWeighed) {
  folder_.Write("models--Qwen--Qwen2.5-3B/blobs/c0", "{}");
  folder_.Write("models--Qwen--Qwen2.5-3B/blobs/w0", "weights");
  folder_.Write("models--Qwen--Qwen2.5-3B/blobs/t0", "token");
  const fs::path snapshot = folder_.path() / "models--Qwen--Qwen2.5-3B/snapshots" / kCommit;
  fs::create_directories(snapshot);
  fs::create_symlink("../../blobs/c0", snapshot / "config.json");
  fs::create_symlink("../../blobs/w0", snapshot / "model.safetensors");
  fs::create_symlink("../../blobs/t0", snapshot / "tokenizer.json");
  const FoundBases found = Scan();
  EXPECT_EQ(*found.Find("Qwen/Qwen2.5-3B", kCommit), snapshot);
  EXPECT_EQ(found.all().at("Qwen/Qwen2.5-3B").size_bytes, 14u);
}

TEST_F(BaseFolderTest, CacheThatLiesElsewhereIsTheModelsOwnFolder) {
  TemporaryFolder elsewhere;
  elsewhere.Write("models--a--b/blobs/c0", "{}");
  const fs::path snapshot = elsewhere.path() / "models--a--b/snapshots" / kCommit;
  elsewhere.WriteBase(fs::path("models--a--b/snapshots") / kCommit);
  fs::remove(snapshot / "config.json");
  fs::create_symlink("../../blobs/c0", snapshot / "config.json");
  fs::create_symlink(elsewhere.path() / "models--a--b", folder_.path() / "models--a--b");
  folder_.Write("c/README", "");
  fs::create_symlink(snapshot, folder_.path() / "c/d");
  fs::create_directories(folder_.path() / "a");
  fs::create_symlink(snapshot, folder_.path() / "a/b");
  const FoundBases found = Scan();
  EXPECT_TRUE(found.Find("a/b", kCommit).ok()) << found.Find("a/b", kCommit).status();
  EXPECT_EQ(*found.Find("a/b", ""), folder_.path() / "a/b");
  EXPECT_TRUE(absl::IsFailedPrecondition(found.Find("c/d", "").status())) << "another model's";
}

TEST_F(BaseFolderTest, BaseWithALinkThatLeavesIsAProblemThatNamesIt) {
  TemporaryFolder elsewhere;
  elsewhere.Write("secret", "s");
  folder_.WriteBase("a/b");
  fs::remove(folder_.path() / "a/b/tokenizer.json");
  fs::create_symlink(elsewhere.path() / "secret", folder_.path() / "a/b/tokenizer.json");
  Cached(kCommit);
  fs::remove(folder_.path() / "models--Qwen--Qwen2.5-3B/snapshots" / kCommit / "model.safetensors");
  fs::create_symlink(
      elsewhere.path() / "secret",
      folder_.path() / "models--Qwen--Qwen2.5-3B/snapshots" / kCommit / "model.safetensors");
  const FoundBases found = Scan();
  for (const char* name : {"a/b", "Qwen/Qwen2.5-3B"}) {
    const absl::Status status = found.Find(name, "").status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr((elsewhere.path() / "secret").string()));
  }
}

TEST_F(BaseFolderTest, BaseThatIsNotAllThereIsAProblemThatSaysWhatIsMissing) {
  for (const char* file : {"tokenizer.json", "model.safetensors"}) {
    folder_.WriteBase("a/b");
    EXPECT_TRUE(Scan().Find("a/b", "").ok());
    fs::remove(folder_.path() / "a/b" / file);
    const absl::Status status = Scan().Find("a/b", "").status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string("has no ") + file));
  }
}

TEST_F(BaseFolderTest, ProblemIsUtf8WhateverAPathMayHold) {
  folder_.WriteBase("a/b");
  fs::create_symlink("/nowhere/\xff" + std::string(3000, 'x'), folder_.path() / "a/b/vocab.txt");
  folder_.WriteBase("c/d");
  TemporaryFolder elsewhere;
  elsewhere.Write("\xff", "s");
  fs::create_symlink(elsewhere.path() / "\xff", folder_.path() / "c/d/vocab.txt");
  const FoundBases found = Scan();
  ASSERT_EQ(found.all().size(), 2);
  for (const auto& [name, base] : found.all()) {
    EXPECT_NE(base.problem, "") << name;
    EXPECT_EQ(FirstInvalidUtf8(base.problem), std::string::npos) << name;
    EXPECT_LE(base.problem.size(), 1003u);
  }
}

TEST_F(BaseFolderTest, FetchedBaseComesAfterWhatLiesBelowBases) {
  folder_.WriteBase("a/b");
  FoundBases found = Scan();
  found.AddFetched({.name = "a/b", .plain = "/data/ab", .digest = "d"});
  found.AddFetched({.name = "c/d",
                    .plain = "/data/cd",
                    .revisions = {{"main", "/data/cd"}},
                    .size_bytes = 5,
                    .digest = "e"});
  EXPECT_EQ(*found.Find("a/b", ""), folder_.path() / "a/b");
  EXPECT_EQ(*found.Find("c/d", ""), "/data/cd");
  EXPECT_EQ(*found.Find("c/d", "main"), "/data/cd");
  EXPECT_FALSE(found.Find("c/d", "v2").ok());
}

TEST_F(BaseFolderTest, FolderThatIsNotThereHoldsNothing) {
  EXPECT_TRUE(FoundBases::Scan({folder_.path() / "nowhere"}).all().empty());
}

TEST_F(BaseFolderTest, ScanSeesWhatHasChanged) {
  const FoundBases before = Scan();
  EXPECT_TRUE(before == Scan());
  folder_.WriteBase("gpt2");
  EXPECT_FALSE(before == Scan());
}

TEST_F(BaseFolderTest, FirstFolderWins) {
  folder_.WriteBase("one/gpt2");
  folder_.WriteBase("two/gpt2");
  const FoundBases found = FoundBases::Scan({folder_.path() / "two", folder_.path() / "one"});
  EXPECT_EQ(*found.Find("gpt2", ""), folder_.path() / "two/gpt2");
}

}  // namespace
}  // namespace mozgach
