#include "worker/base_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";
constexpr char kOther[] = "fedcba9876543210fedcba9876543210fedcba98";

class BaseFolderTest : public ::testing::Test {
 protected:
  void Cached(const std::string& commit) {
    folder_.Write("models--Qwen--Qwen2.5-3B/snapshots/" + commit + "/config.json", "{}");
  }
  FoundBases Scan() const { return FoundBases::Scan({folder_.path()}); }

  TemporaryFolder folder_;
};

TEST_F(BaseFolderTest, PlainDirectoriesAreFoundByTheirHubNames) {
  folder_.Write("Qwen/Qwen2.5-3B/config.json", "{}");
  folder_.Write("gpt2/config.json", "{}");
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

TEST_F(BaseFolderTest, PlainDirectoryHasNoRevisions) {
  folder_.Write("Qwen/Qwen2.5-3B/config.json", "{}");
  EXPECT_TRUE(absl::IsNotFound(Scan().Find("Qwen/Qwen2.5-3B", "main").status()));
}

TEST_F(BaseFolderTest, RefsThatLeadOutOfTheCacheAreNotFollowed) {
  Cached(kCommit);
  folder_.Write("models--Qwen--Qwen2.5-3B/refs/main", "../../../elsewhere");
  folder_.Write("elsewhere/config.json", "{}");
  const FoundBases found = Scan();
  EXPECT_EQ(found.Find("Qwen/Qwen2.5-3B", "")->filename(), kCommit) << "the only snapshot";
  EXPECT_FALSE(found.Find("Qwen/Qwen2.5-3B", "main").ok());
}

TEST_F(BaseFolderTest, NamesThatLeadElsewhereAreNotFound) {
  folder_.Write("Qwen/Qwen2.5-3B/config.json", "{}");
  for (const char* name : {"..", "../x", "Qwen/..", "/etc", "Qwen/Qwen2.5-3B/", ""}) {
    EXPECT_TRUE(absl::IsNotFound(Scan().Find(name, "").status())) << name;
  }
}

TEST_F(BaseFolderTest, FolderThatIsNotThereHoldsNothing) {
  EXPECT_TRUE(FoundBases::Scan({folder_.path() / "nowhere"}).all().empty());
}

TEST_F(BaseFolderTest, ScanSeesWhatHasChanged) {
  const FoundBases before = Scan();
  EXPECT_TRUE(before == Scan());
  folder_.Write("gpt2/config.json", "{}");
  EXPECT_FALSE(before == Scan());
}

TEST_F(BaseFolderTest, FirstFolderWins) {
  folder_.Write("one/gpt2/config.json", "{}");
  folder_.Write("two/gpt2/config.json", "{}");
  const FoundBases found = FoundBases::Scan({folder_.path() / "two", folder_.path() / "one"});
  EXPECT_EQ(*found.Find("gpt2", ""), folder_.path() / "two/gpt2");
}

}  // namespace
}  // namespace mozgach
