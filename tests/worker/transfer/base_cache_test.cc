#include "worker/transfer/base_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/digest.h"
#include "common/files.h"
#include "failpoint/failpoint.h"
#include "proto/base_manifest.h"
#include "tests/worker/fake_scheduler.h"
#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class BaseCacheTest : public ::testing::Test {
 protected:
  BaseCacheTest() { Reopen(); }

  // Opens the cache as a restarted worker does.
  void Reopen() {
    cache_ = std::make_unique<BaseCache>(Folder(), client_, [this](const fs::path& folder) {
      uint64_t used = 0;
      const std::vector<std::string> files = *ListFiles(folder);
      for (const std::string& file : files) used += fs::file_size(folder / file);
      return BaseCache::Disk{.free_bytes = disk_ - std::min(disk_, used)};
    });
    ASSERT_TRUE(cache_->Open().ok());
  }
  fs::path Folder() const { return folder_.path() / "bases"; }
  v1::BaseManifest Add(const std::string& name, size_t bytes, char letter = 'w') {
    return scheduler_.AddBase(
        name, {{"config.json", "{}"}, {"model.safetensors", std::string(bytes, letter)}});
  }
  absl::StatusOr<fs::path> Fetch(const v1::BaseManifest& manifest) {
    fetched_ = 0;
    return cache_->Fetch(
        manifest, [this](const v1::BaseFetch&, uint64_t bytes) { fetched_ += bytes; },
        std::stop_token());
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const FoundBase& base : cache_->Held()) names.push_back(base.name);
    return names;
  }

  TemporaryFolder folder_;
  FakeScheduler scheduler_;
  SchedulerClient client_{scheduler_.address()};
  uint64_t disk_ = UINT64_C(1) << 40;
  uint64_t fetched_ = 0;
  std::unique_ptr<BaseCache> cache_;
};

TEST_F(BaseCacheTest, FetchedBaseIsWholeAndFoundAgainByTheNextWorker) {
  const v1::BaseManifest manifest = Add("a/b", 5000);
  const auto directory = Fetch(manifest);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ(*ListFiles(*directory), (std::vector<std::string>{"config.json", "model.safetensors"}));
  EXPECT_EQ(*Sha256OfFile(*directory / "model.safetensors"), Sha256Hex(std::string(5000, 'w')));
  EXPECT_EQ(fetched_, 5002u);
  Reopen();
  EXPECT_THAT(Names(), ElementsAre("a/b"));
  EXPECT_EQ(cache_->Held()[0].digest, manifest.digest());
  EXPECT_EQ(cache_->Held()[0].size_bytes, 5002u);
  ASSERT_TRUE(Fetch(manifest).ok());
  EXPECT_EQ(fetched_, 0u);
}

TEST_F(BaseCacheTest, FetchThatWasCutGoesOnWhereItWasInTheNextWorkerToo) {
  const v1::BaseManifest manifest = Add("a/b", 50'000);
  scheduler_.CutDownloadAfter(2);  // after all of config.json, so the call is repeated
  ASSERT_TRUE(Fetch(manifest).ok());
  const v1::BaseManifest other = Add("c/d", 50'000, 'x');
  std::stop_source stop;
  const auto cut = cache_->Fetch(
      other,
      [&](const v1::BaseFetch& fetch, uint64_t) {
        if (fetch.received_bytes() > 20'000) stop.request_stop();
      },
      stop.get_token());
  EXPECT_TRUE(absl::IsCancelled(cut.status())) << cut.status();
  EXPECT_THAT(Names(), ElementsAre("a/b")) << "a part of a base is none";
  Reopen();
  ASSERT_TRUE(Fetch(other).ok());
  EXPECT_LE(fetched_, 30'000u);
  EXPECT_GE(scheduler_.download_offsets().back(), 20'000u);
  EXPECT_THAT(Names(), UnorderedElementsAre("a/b", "c/d"));
}

TEST_F(BaseCacheTest, StepThatFailedOrSaysSoIsTakenAgain) {
  const v1::BaseManifest manifest = Add("a/b", 5000);
  for (const char* armed :
       {"worker.base.write_manifest=error@1", "worker.base.write_manifest=error_after@1",
        "worker.base.complete=error@1", "worker.base.complete=error_after@1",
        "worker.base.take_aside=error@1", "worker.base.take_aside=error_after@1"}) {
    ASSERT_TRUE(ArmFailpoints(armed).ok());
    auto directory = Fetch(manifest);
    if (directory.ok()) {  // a damaged base is taken aside
      folder_.Write(fs::relative(*directory / "model.safetensors", folder_.path()),
                    std::string(5000, 'W'));
      directory = Fetch(manifest);
    }
    EXPECT_FALSE(directory.ok()) << armed;
    directory = Fetch(manifest);
    ASSERT_TRUE(directory.ok()) << armed << ": " << directory.status();
    EXPECT_EQ(*ReadFile(*directory / "model.safetensors"), std::string(5000, 'w')) << armed;
    EXPECT_THAT(Names(), ElementsAre("a/b")) << armed;
    // The next begins without it.
    ASSERT_TRUE(ArmFailpoints("").ok());
    cache_.reset();
    fs::remove_all(Folder());
    Reopen();
  }
}

TEST_F(BaseCacheTest, DamagedFileIsNoticedAndItAloneIsFetchedAgain) {
  const v1::BaseManifest manifest = Add("a/b", 5000);
  const fs::path directory = *Fetch(manifest);
  folder_.Write(fs::relative(directory / "model.safetensors", folder_.path()),
                std::string(5000, 'W'));
  EXPECT_THAT(Names(), IsEmpty()) << "a damaged base is not offered";
  Reopen();
  EXPECT_THAT(Names(), IsEmpty());
  ASSERT_TRUE(Fetch(manifest).ok());
  EXPECT_EQ(fetched_, 5000u);
  EXPECT_EQ(*ReadFile(directory / "model.safetensors"), std::string(5000, 'w'));
  EXPECT_THAT(Names(), ElementsAre("a/b"));
}

TEST_F(BaseCacheTest, FileThatWasOnlyTouchedIsCheckedAndKept) {
  const v1::BaseManifest manifest = Add("a/b", 5000);
  const fs::path directory = *Fetch(manifest);
  fs::last_write_time(directory / "model.safetensors",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_TRUE(Fetch(manifest).ok());
  EXPECT_EQ(fetched_, 0u);
  EXPECT_THAT(Names(), ElementsAre("a/b"));
}

TEST_F(BaseCacheTest, WithoutRoomTheBaseUsedLongestAgoGoesButNeverOneInUse) {
  disk_ = 40'000;
  const auto loaded = Add("in/use", 10'000, 'a'), old = Add("old/one", 10'000, 'b'),
             recent = Add("recent/one", 10'000, 'c');
  for (const auto& manifest : {loaded, old, recent, loaded, recent}) {
    ASSERT_TRUE(Fetch(manifest).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  cache_->SetInUse({"in/use", "new/one"});
  ASSERT_TRUE(Fetch(Add("new/one", 12'000, 'd')).ok());
  EXPECT_THAT(Names(), UnorderedElementsAre("in/use", "recent/one", "new/one"));
  EXPECT_FALSE(fs::exists(Folder() / old.digest()));
}

TEST_F(BaseCacheTest, BaseThatWouldNotFitDropsNothingAndSaysHowMuchIsMissing) {
  disk_ = 40'000;
  ASSERT_TRUE(Fetch(Add("a/b", 10'000)).ok());
  EXPECT_LT(cache_->Room(), 41'000u);
  EXPECT_GT(cache_->Room(), 38'000u);
  const absl::Status status = Fetch(Add("huge/one", 60'000)).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("it needs 60002 bytes"));
  EXPECT_THAT(Names(), ElementsAre("a/b"));
  cache_->SetInUse({"a/b"});
  EXPECT_LT(cache_->Room(), 31'000u);
}

TEST_F(BaseCacheTest, SchedulersDamagedCopyIsRefusedAndLeavesNothingBehind) {
  const v1::BaseManifest manifest = Add("a/b", 5000);
  scheduler_.Damage(manifest.files(1).sha256());
  const absl::Status status = Fetch(manifest).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.safetensors of the base a/b"));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(BaseCacheTest, ManifestThatLeadsElsewhereWritesNothing) {
  v1::BaseManifest manifest = Add("a/b", 10);
  manifest.mutable_files(0)->set_path("../../../outside");
  Seal(manifest);
  EXPECT_TRUE(absl::IsInvalidArgument(Fetch(manifest).status()));
  EXPECT_FALSE(fs::exists(folder_.path() / "outside"));
  manifest = Add("a/b", 10);
  manifest.set_digest("../../outside");
  EXPECT_TRUE(absl::IsInvalidArgument(Fetch(manifest).status()));
}

TEST_F(BaseCacheTest, WhatACrashHasLeftIsSweptAtTheStart) {
  const v1::BaseManifest manifest = Add("a/b", 10);
  ASSERT_TRUE(Fetch(manifest).ok());
  fs::remove(Folder() / manifest.digest() / "manifest.json");  // half dropped
  folder_.Write("bases/notes/x", "no base");
  Reopen();
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(*ListFiles(Folder()), IsEmpty());
}

}  // namespace
}  // namespace mozgach
