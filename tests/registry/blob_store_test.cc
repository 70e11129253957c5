#include "registry/blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "common/digest.h"
#include "common/files.h"
#include "registry/blob_upload.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

class BlobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(store_.Open().ok()); }

  absl::Status Put(const std::string& bytes) {
    ASSIGN_OR_RETURN(auto upload, store_.Upload(Sha256Hex(bytes), bytes.size(), 0));
    RETURN_IF_ERROR(upload->Append(bytes));
    return upload->Finish();
  }
  std::string Read(const std::string& sha256) {
    return ReadFile(store_.Path(sha256).value()).value_or("");
  }

  TemporaryDirectory directory_;
  BlobStore store_{directory_.path() / "blobs", 1000};
};

TEST_F(BlobStoreTest, UploadsAtOneTimeAreBounded) {
  std::vector<std::unique_ptr<BlobUpload>> open;
  for (int i = 0; i < BlobStore::kOpenUploadsMax; ++i) {
    // Half of them of one blob: what a later one has taken over is still open.
    auto upload = store_.Upload(Sha256Hex(i % 2 == 0 ? "same" : std::to_string(i)), 10, 0);
    ASSERT_TRUE(upload.ok()) << upload.status();
    open.push_back(*std::move(upload));
  }
  EXPECT_EQ(Put("one more").code(), absl::StatusCode::kUnavailable);
  open.pop_back();
  EXPECT_TRUE(Put("one more").ok());
}

TEST_F(BlobStoreTest, DamagedBlobIsRemovedAndCanBeUploadedAgain) {
  ASSERT_TRUE(Put("hello").ok());
  const std::string sha256 = Sha256Hex("hello");
  EXPECT_FALSE(store_.RemoveIfDamaged(sha256).value());
  const std::filesystem::path path = store_.Path(sha256).value();
  for (const char* bytes : {"hellO", "hell", ""}) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::ofstream(path) << bytes;
    EXPECT_TRUE(store_.RemoveIfDamaged(sha256).value()) << bytes;
    EXPECT_FALSE(store_.Has(sha256));
    EXPECT_FALSE(store_.RemoveIfDamaged(sha256).value()) << "it is gone";
    ASSERT_TRUE(Put("hello").ok());
    EXPECT_EQ(Read(sha256), "hello");
  }
  EXPECT_TRUE(absl::IsInvalidArgument(store_.RemoveIfDamaged("../lock").status()));
}

TEST_F(BlobStoreTest, AFaultOfTheDiskIsNotTheCallers) {
  std::filesystem::remove_all(directory_.path() / "blobs");
  std::ofstream(directory_.path() / "blobs") << "a file in the way";
  EXPECT_EQ(Put("rows").code(), absl::StatusCode::kInternal) << Put("rows");
}

TEST_F(BlobStoreTest, UploadMakesDirectoriesThatAreGone) {
  std::filesystem::remove_all(directory_.path() / "blobs");
  EXPECT_TRUE(Put("hello").ok());
  EXPECT_EQ(Read(Sha256Hex("hello")), "hello");
}

TEST_F(BlobStoreTest, UploadedBlobIsThereReadOnly) {
  ASSERT_TRUE(Put("hello").ok());
  const std::string sha256 = Sha256Hex("hello");
  EXPECT_TRUE(store_.Has(sha256));
  EXPECT_EQ(Read(sha256), "hello");
  EXPECT_EQ(store_.Find(sha256)->bytes, 5u);
  const auto permissions = std::filesystem::status(*store_.Path(sha256)).permissions();
  EXPECT_EQ(permissions & std::filesystem::perms::all, std::filesystem::perms(0444));
}

TEST_F(BlobStoreTest, InterruptedUploadGoesOnWhereItStopped) {
  const std::string bytes = "0123456789";
  const std::string sha256 = Sha256Hex(bytes);
  {
    auto upload = store_.Upload(sha256, bytes.size(), 0);
    ASSERT_TRUE((*upload)->Append("0123").ok());
  }
  EXPECT_FALSE(store_.Has(sha256));
  EXPECT_EQ(store_.Find(sha256)->bytes, 4u);
  auto upload = store_.Upload(sha256, bytes.size(), 4);
  ASSERT_TRUE((*upload)->Append("456789").ok());
  ASSERT_TRUE((*upload)->Finish().ok());
  EXPECT_EQ(Read(sha256), bytes);
}

TEST_F(BlobStoreTest, UploadMayStartAnewOverWhatIsThere) {
  const std::string sha256 = Sha256Hex("right");
  { ASSERT_TRUE((*store_.Upload(sha256, 5, 0))->Append("wro").ok()); }
  auto upload = store_.Upload(sha256, 5, 0);
  ASSERT_TRUE((*upload)->Append("right").ok());
  EXPECT_TRUE((*upload)->Finish().ok());
}

TEST_F(BlobStoreTest, GapIsRefused) {
  EXPECT_EQ(store_.Upload(Sha256Hex("x"), 10, 1).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(BlobStoreTest, WrongBytesNeverCount) {
  const std::string sha256 = Sha256Hex("right");
  auto upload = store_.Upload(sha256, 5, 0);
  ASSERT_TRUE((*upload)->Append("wrong").ok());
  EXPECT_EQ((*upload)->Finish().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(store_.Has(sha256));
  EXPECT_EQ(store_.Find(sha256)->bytes, 0u) << "it starts from zero";
}

TEST_F(BlobStoreTest, ShortUploadIsNotComplete) {
  auto upload = store_.Upload(Sha256Hex("right"), 5, 0);
  ASSERT_TRUE((*upload)->Append("rig").ok());
  EXPECT_EQ((*upload)->Finish().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(store_.Find(Sha256Hex("right"))->bytes, 3u);
}

TEST_F(BlobStoreTest, MoreThanAnnouncedIsRefused) {
  auto upload = store_.Upload(Sha256Hex("right"), 5, 0);
  EXPECT_EQ((*upload)->Append("too much").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(BlobStoreTest, LargerThanTheBoundIsRefused) {
  EXPECT_EQ(store_.Upload(Sha256Hex("x"), 1001, 0).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(BlobStoreTest, UploadsLeaveTheReserveOfTheDiskFree) {
  const uint64_t free = std::filesystem::space(directory_.path()).available;
  BlobStore store(directory_.path() / "blobs", UINT64_C(1) << 60, free + (UINT64_C(1) << 30));
  const auto refused = store.Upload(Sha256Hex("hello"), 5, 0);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), ::testing::HasSubstr("disk_reserve_bytes"));
  // What is announced counts before it comes.
  BlobStore other(directory_.path() / "blobs", UINT64_C(1) << 60, 1);
  EXPECT_EQ(other.Upload(Sha256Hex("hello"), UINT64_C(1) << 59, 0).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(other.Upload(Sha256Hex("hello"), 5, 0).ok());
  // A blob that is here already takes nothing.
  ASSERT_TRUE(Put("hello").ok());
  EXPECT_TRUE(store.Upload(Sha256Hex("hello"), 5, 0).ok());
}

TEST_F(BlobStoreTest, NameThatIsNoDigestNeverBecomesAPath) {
  for (const std::string& name : {std::string("../../etc/passwd"), std::string(64, 'G'),
                                  std::string(63, 'a'), std::string("partial"), std::string(),
                                  std::string(10000, 'a'), std::string(62, 'a') + "/."}) {
    EXPECT_EQ(store_.Find(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_.Path(name).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store_.Upload(name, 1, 0).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store_.Remove(name).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(store_.Has(name));
  }
}

TEST_F(BlobStoreTest, LaterUploadTakesOver) {
  const std::string sha256 = Sha256Hex("right");
  auto earlier = store_.Upload(sha256, 5, 0);
  ASSERT_TRUE((*earlier)->Append("rig").ok());
  auto later = store_.Upload(sha256, 5, 3);
  EXPECT_EQ((*earlier)->Append("XX").code(), absl::StatusCode::kAborted);
  ASSERT_TRUE((*later)->Append("ht").ok());
  EXPECT_TRUE((*later)->Finish().ok());
  EXPECT_EQ((*earlier)->Finish().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(Read(sha256), "right");
}

TEST_F(BlobStoreTest, BlobThatIsHereAlreadyTakesAnyUpload) {
  ASSERT_TRUE(Put("hello").ok());
  auto again = store_.Upload(Sha256Hex("hello"), 5, 0);
  ASSERT_TRUE((*again)->Append("HELLO").ok());
  EXPECT_TRUE((*again)->Finish().ok());
  EXPECT_EQ(Read(Sha256Hex("hello")), "hello");
}

TEST_F(BlobStoreTest, WhatIsOldIsListedAndRemoved) {
  ASSERT_TRUE(Put("old").ok());
  { ASSERT_TRUE((*store_.Upload(Sha256Hex("partial"), 7, 0))->Append("par").ok()); }
  EXPECT_TRUE(store_.Old(WallTime{})->empty()) << "nothing is that old";
  const auto old = store_.Old(WallTime::max());
  ASSERT_EQ(old->size(), 2u);
  for (const BlobStore::OldFile& file : *old) {
    EXPECT_EQ(file.bytes, 3u);
    EXPECT_TRUE(file.sha256 == Sha256Hex("old") || file.sha256.empty()) << file.path;
    EXPECT_FALSE(store_.RemoveOld(file, WallTime{}).value()) << "written since";
    EXPECT_TRUE(store_.RemoveOld(file, WallTime::max()).value());
  }
  EXPECT_FALSE(store_.Has(Sha256Hex("old")));
  EXPECT_EQ(store_.Find(Sha256Hex("partial"))->bytes, 0u);
}

TEST_F(BlobStoreTest, BlobThatIsUploadedAgainIsNotOldAnyMore) {
  ASSERT_TRUE(Put("hello").ok());
  const std::string sha256 = Sha256Hex("hello");
  const auto path = store_.Path(sha256).value();
  std::filesystem::last_write_time(
      path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(48));
  const WallTime yesterday = Clock::System().Now() - std::chrono::hours(24);
  const auto old = store_.Old(yesterday);
  ASSERT_EQ(old->size(), 1u);
  ASSERT_TRUE(store_.Upload(sha256, 5, 0).ok());
  EXPECT_FALSE(store_.RemoveOld(old->front(), yesterday).value());
  EXPECT_TRUE(store_.Has(sha256));
}

TEST_F(BlobStoreTest, EmptyBlobIsABlob) {
  ASSERT_TRUE(Put("").ok());
  EXPECT_TRUE(store_.Has(Sha256Hex("")));
}

}  // namespace
}  // namespace mozgach
