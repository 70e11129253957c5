#include "registry/adapter_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/digest.h"
#include "common/files.h"
#include "nlohmann/json.hpp"
#include "registry/blob_upload.h"
#include "registry/migration.h"
#include "scheduler/state/schema.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AdapterStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = Database::Open(":memory:").value();
    ASSERT_TRUE(Migrate(*database_, Schema()).ok());
    ASSERT_TRUE(blobs_.Open().ok());
    Restart();
  }
  void Restart() {
    store_ = std::make_unique<AdapterStore>(*database_, Root());
    ASSERT_TRUE(store_->Recover().ok());
  }
  fs::path Root() const { return directory_.path() / "registry"; }
  fs::path Adapters() const { return Root() / "adapters"; }

  VersionFile Blob(const std::string& path, const std::string& bytes) {
    auto upload = blobs_.Upload(Sha256Hex(bytes), bytes.size(), 0);
    EXPECT_TRUE((*upload)->Append(bytes).ok());
    EXPECT_TRUE((*upload)->Finish().ok());
    return {path, Sha256Hex(bytes), bytes.size()};
  }
  Version Draft(int64_t job, const std::string& domain = "law") {
    Version version;
    version.domain = domain;
    version.job = job;
    version.attempt = 1;
    version.base = "mozgach/tiny";
    version.metrics_json = "{}";
    version.files = {Blob("adapter_config.json", "{\"r\": 8}"),
                     Blob("mlx/adapters.safetensors", "tensors of " + std::to_string(job))};
    return version;
  }
  Version Staged(int64_t job, const std::string& domain = "law") {
    Version version = Draft(job, domain);
    EXPECT_TRUE(store_->Stage(version, blobs_).ok());
    return version;
  }
  Version Published(int64_t job, const std::string& domain = "law") {
    const Version version = Staged(job, domain);
    EXPECT_TRUE(store_->InsertPublishing(version).ok());
    EXPECT_TRUE(store_->Reveal(version).ok());
    EXPECT_TRUE(store_->MarkPublished(version).ok());
    EXPECT_TRUE(store_->LinkAliases(version).ok());
    return version;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_;
  BlobStore blobs_{directory_.path() / "blobs", 1 << 20};
  std::unique_ptr<AdapterStore> store_;
};

TEST_F(AdapterStoreTest, PublishedVersionIsCompleteAndReadOnly) {
  Published(1);
  const fs::path directory = Adapters() / "law" / "v0001";
  EXPECT_THAT(ListFiles(directory).value(),
              ElementsAre("adapter_config.json", "manifest.json", "metrics.json",
                          "mlx/adapters.safetensors"));
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(entry.status().permissions() & fs::perms::all, fs::perms(0444)) << entry.path();
  }
  const auto manifest = nlohmann::json::parse(ReadFile(directory / "manifest.json").value());
  EXPECT_EQ(manifest["files"].size(), 3u) << "every file but the manifest itself";
  EXPECT_THAT(ListFiles(Root() / "staging").value(), IsEmpty());
}

TEST_F(AdapterStoreTest, VersionsCountUpAndLatestFollows) {
  Published(1);
  Published(2);
  EXPECT_EQ(store_->Get("law", "")->number, 2);
  EXPECT_THAT(store_->Get("law", "latest")->aliases, ElementsAre("latest"));
  EXPECT_EQ(fs::read_symlink(Adapters() / "law" / "latest"), "v0002");
  EXPECT_EQ(store_->List("law")->size(), 2u);
  EXPECT_EQ(store_->Get("law", "1")->number, 1);
  EXPECT_EQ(store_->Get("law", "v0001")->number, 1);
}

TEST_F(AdapterStoreTest, UnknownVersionIsNotFound) {
  Published(1);
  for (const char* name : {"v0002", "champion", "../law", "v0001/.."}) {
    EXPECT_EQ(store_->Get("law", name).status().code(), absl::StatusCode::kNotFound) << name;
  }
  EXPECT_EQ(store_->Get("medicine", "").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(AdapterStoreTest, StagedVersionCannotBeSeenAndIsSweptAtTheStart) {
  Staged(1);
  EXPECT_FALSE(fs::exists(Adapters() / "law"));
  EXPECT_FALSE(fs::is_empty(Root() / "staging"));
  Restart();
  EXPECT_TRUE(fs::is_empty(Root() / "staging"));
  EXPECT_THAT(store_->Unfinished().value(), IsEmpty());
}

TEST_F(AdapterStoreTest, IntendedVersionSurvivesARestartAndGoesOn) {
  ASSERT_TRUE(store_->InsertPublishing(Staged(1)).ok());
  Restart();
  EXPECT_THAT(store_->List("").value(), IsEmpty()) << "not published yet";
  const std::vector<Version> unfinished = store_->Unfinished().value();
  ASSERT_EQ(unfinished.size(), 1u);
  EXPECT_TRUE(store_->Reveal(unfinished[0]).ok());
  EXPECT_TRUE(store_->MarkPublished(unfinished[0]).ok());
  EXPECT_THAT(store_->files().Verify(*store_->Get("law", "")).value(), IsEmpty());
}

TEST_F(AdapterStoreTest, RevealMayBeRepeated) {
  const Version version = Staged(1);
  ASSERT_TRUE(store_->InsertPublishing(version).ok());
  ASSERT_TRUE(store_->Reveal(version).ok());
  Restart();
  EXPECT_TRUE(store_->Reveal(version).ok());
  EXPECT_TRUE(store_->MarkPublished(version).ok());
  EXPECT_FALSE(store_->MarkPublished(version).ok()) << "once is enough";
}

TEST_F(AdapterStoreTest, NumberOfAnAbandonedVersionIsNotUsedAgain) {
  const Version version = Staged(1);
  ASSERT_TRUE(store_->InsertPublishing(version).ok());
  fs::remove_all(Root() / "staging");
  EXPECT_EQ(store_->Reveal(version).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store_->Abandon(version).ok());
  Restart();
  EXPECT_EQ(Published(1).number, 2);
}

TEST_F(AdapterStoreTest, OneJobHasOneVersion) {
  Published(1);
  Version again = Draft(1);
  again.attempt = 2;
  ASSERT_TRUE(store_->Stage(again, blobs_).ok());
  EXPECT_FALSE(store_->InsertPublishing(again).ok());
}

TEST_F(AdapterStoreTest, LostLinkIsSetRightAtTheStart) {
  Published(1);
  fs::remove(Adapters() / "law" / "latest");
  Restart();
  EXPECT_EQ(fs::read_symlink(Adapters() / "law" / "latest"), "v0001");
}

TEST_F(AdapterStoreTest, WhatLiesInTheWayOfALinkIsMovedAside) {
  Published(1);
  const fs::path latest = Adapters() / "law" / "latest";
  fs::remove(latest);
  fs::create_directories(latest / "somebodys");
  EXPECT_THAT(store_->files().VerifyAliases(store_->Get("law", "").value()),
              ElementsAre(HasSubstr("latest is not a link")));
  Restart();
  EXPECT_EQ(fs::read_symlink(latest), "v0001");
  EXPECT_TRUE(fs::exists(Adapters() / "law" / ".latest.displaced-1" / "somebodys"));
  fs::remove(latest);
  ASSERT_TRUE(WriteFileAtomically(latest, "a file").ok());
  Restart();
  EXPECT_TRUE(fs::exists(Adapters() / "law" / ".latest.displaced-2"));
}

TEST_F(AdapterStoreTest, VerifyFindsLinksThatAreNotWhatTheirRowsSay) {
  Published(1);
  Published(2);
  const Version newest = store_->Get("law", "").value();
  EXPECT_THAT(store_->files().VerifyAliases(newest), IsEmpty());
  fs::remove(Adapters() / "law" / "latest");
  fs::create_symlink("v0001", Adapters() / "law" / "latest");
  EXPECT_THAT(store_->files().VerifyAliases(newest), ElementsAre(HasSubstr("points at v0001")));
}

TEST_F(AdapterStoreTest, VerifyFindsWhatWasChangedRemovedOrAdded) {
  Published(1);
  const Version version = store_->Get("law", "").value();
  EXPECT_THAT(store_->files().Verify(version).value(), IsEmpty());
  const fs::path directory = Adapters() / "law" / "v0001";
  fs::remove(directory / "metrics.json");
  ASSERT_TRUE(WriteFileAtomically(directory / "adapter_config.json", "{\"r\": 9}").ok());
  ASSERT_TRUE(WriteFileAtomically(directory / "extra", "").ok());
  EXPECT_THAT(
      store_->files().Verify(version).value(),
      ElementsAre(HasSubstr("adapter_config.json has changed"),
                  HasSubstr("metrics.json is missing"), HasSubstr("extra was not published")));
}

TEST_F(AdapterStoreTest, RemovedDirectoryIsNoVersionOfTheJob) {
  Published(1);
  EXPECT_EQ(store_->VisibleVersionOfJob("law", 1).value(), 1);
  fs::remove_all(Adapters() / "law" / "v0001");
  EXPECT_FALSE(store_->VisibleVersionOfJob("law", 1).value().has_value());
}

TEST_F(AdapterStoreTest, AliasMovesAndGoes) {
  Published(1);
  Published(2);
  EXPECT_EQ(store_->SetAlias("law", "champion", "v0001")->number, 1);
  EXPECT_EQ(fs::read_symlink(Adapters() / "law" / "champion"), "v0001");
  EXPECT_EQ(store_->SetAlias("law", "champion", "latest")->number, 2);
  EXPECT_EQ(fs::read_symlink(Adapters() / "law" / "champion"), "v0002");
  EXPECT_EQ(store_->Get("law", "champion")->number, 2);
  EXPECT_EQ(store_->SetAlias("law", "champion", "")->number, 2);
  EXPECT_FALSE(fs::exists(fs::symlink_status(Adapters() / "law" / "champion")));
  EXPECT_EQ(store_->SetAlias("law", "champion", "").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(AdapterStoreTest, WhatAPersonPutInPlaceOfALinkOutlivesTheAlias) {
  Published(1);
  ASSERT_TRUE(store_->SetAlias("law", "champion", "v0001").ok());
  fs::remove(Adapters() / "law" / "champion");
  ASSERT_TRUE(WriteFileAtomically(Adapters() / "law" / "champion", "mine").ok());
  EXPECT_TRUE(store_->SetAlias("law", "champion", "").ok());
  EXPECT_EQ(ReadFile(Adapters() / "law" / ".champion.displaced-1").value(), "mine");
}

TEST_F(AdapterStoreTest, ALinkThatCannotBeMadeIsMadeLater) {
  Published(1);
  ASSERT_TRUE(fs::create_directories(Adapters() / "law" / ".champion.new" / "in the way"));
  EXPECT_TRUE(store_->SetAlias("law", "champion", "v0001").ok());
  EXPECT_TRUE(store_->links_behind());
  EXPECT_FALSE(store_->SetLinksRight().ok());
  fs::remove_all(Adapters() / "law" / ".champion.new");
  EXPECT_TRUE(store_->SetLinksRight().ok());
  EXPECT_FALSE(store_->links_behind());
  EXPECT_EQ(fs::read_symlink(Adapters() / "law" / "champion"), "v0001");
}

TEST_F(AdapterStoreTest, LatestAndOddAliasesAreRefused) {
  Published(1);
  for (const char* alias : {"latest", "v0001", "1", "../x", "", "Champion"}) {
    EXPECT_EQ(store_->SetAlias("law", alias, "v0001").status().code(),
              absl::StatusCode::kInvalidArgument)
        << alias;
  }
  EXPECT_EQ(store_->SetAlias("law", "champion", "v0009").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(AdapterStoreTest, MissingBlobFailsTheStagingOnly) {
  Version version = Draft(1);
  ASSERT_TRUE(blobs_.Remove(version.files[0].sha256).ok());
  EXPECT_EQ(store_->Stage(version, blobs_).code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(Adapters() / "law"));
}

TEST_F(AdapterStoreTest, PublishedBytesOutliveTheirBlobs) {
  const Version version = Published(1);
  for (const VersionFile& file : version.files) ASSERT_TRUE(blobs_.Remove(file.sha256).ok());
  EXPECT_THAT(store_->files().Verify(version).value(), IsEmpty());
}

}  // namespace
}  // namespace mozgach
