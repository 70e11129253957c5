// What a PowerDisk keeps and what it loses.
#include "tests/power/power_disk.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/files.h"

namespace mozgach::power {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

constexpr int kDraws = 200;

class PowerDiskTest : public ::testing::Test {
 protected:
  PowerDiskTest() {
    std::string name = "/tmp/mozgach-power-disk-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~PowerDiskTest() override {
    PowerDisk::Get().Detach();
    fs::remove_all(root_);
  }

  void Write(const std::string& name, const std::string& bytes, bool sync) {
    FileDescriptor fd(::open((root_ / name).c_str(), O_WRONLY | O_CREAT, 0644));
    ASSERT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    if (sync) {
      ASSERT_EQ(::fsync(fd.get()), 0);
    }
  }

  // What was done, then a cut: every state that comes of it, as "name=bytes " in order of names.
  std::set<std::string> StatesAfter(const std::function<void()>& prepare,
                                    const std::function<void()>& what) {
    std::set<std::string> states;
    for (int seed = 0; seed < kDraws; ++seed) {
      PowerDisk::Get().Detach();
      for (const auto& entry : fs::directory_iterator(root_)) fs::remove_all(entry.path());
      prepare();
      PowerDisk::Get().Attach(root_);
      what();
      PowerDisk::Get().PowerOn(static_cast<uint64_t>(seed));
      states.insert(Show());
    }
    return states;
  }
  std::set<std::string> StatesAfter(const std::function<void()>& what) {
    return StatesAfter([] {}, what);
  }

  std::string Show() {
    std::string state;
    const std::vector<std::string> files = ListFiles(root_).value();
    for (const std::string& file : files) {
      state += file + "=" + ReadFile(root_ / file).value() + " ";
    }
    return state;
  }

  fs::path root_;
};

TEST_F(PowerDiskTest, FileWithItsNameSyncedStays) {
  EXPECT_THAT(StatesAfter([&] {
                Write("a", "bytes", true);
                ASSERT_TRUE(SyncDirectory(root_).ok());
              }),
              ElementsAre("a=bytes "));
}

TEST_F(PowerDiskTest, SyncedFileMayLoseItsName) {
  EXPECT_THAT(StatesAfter([&] { Write("a", "bytes", true); }), ElementsAre("", "a=bytes "));
}

TEST_F(PowerDiskTest, NameThatWasSyncedMayHaveNoBytes) {
  const std::string zeros(5, '\0');
  EXPECT_THAT(StatesAfter([&] {
                Write("a", "bytes", false);
                ASSERT_TRUE(SyncDirectory(root_).ok());
              }),
              AllOf(Contains("a= "), Contains("a=bytes "), Contains("a=" + zeros + " ")));
}

TEST_F(PowerDiskTest, SectorsAreTornFromOneAnother) {
  const std::string old(1024, 'o'), fresh(1024, 'n');
  const auto states =
      StatesAfter([&] { Write("a", old, true); }, [&] { Write("a", fresh, false); });
  EXPECT_THAT(states, ::testing::UnorderedElementsAre(
                          "a=" + old + " ", "a=" + fresh + " ",
                          "a=" + std::string(512, 'o') + std::string(512, 'n') + " ",
                          "a=" + std::string(512, 'n') + std::string(512, 'o') + " "));
}

TEST_F(PowerDiskTest, RenameIsOldOrNewAndNeverBoth) {
  EXPECT_THAT(
      StatesAfter([&] { Write("a", "1", true); },
                  [&] { ASSERT_EQ(::rename((root_ / "a").c_str(), (root_ / "b").c_str()), 0); }),
      ElementsAre("a=1 ", "b=1 "));
}

TEST_F(PowerDiskTest, RenameThatIsSyncedTakesTheNameItCameFromAlong) {
  EXPECT_THAT(StatesAfter([&] {
                fs::create_directory(root_ / "d");
                PowerDisk::Get().Attach(root_);
                Write("a", "1", true);
                ASSERT_TRUE(RenameDurably(root_ / "a", root_ / "d" / "b").ok());
              }),
              ElementsAre("d/b=1 "));
}

TEST_F(PowerDiskTest, ChangesOfOneNameKeepTheirOrder) {
  const auto states = StatesAfter([&] {
    Write("a", "1", true);
    ASSERT_EQ(::rename((root_ / "a").c_str(), (root_ / "b").c_str()), 0);
    ASSERT_EQ(::unlink((root_ / "b").c_str()), 0);
  });
  EXPECT_THAT(states, ElementsAre("", "a=1 ", "b=1 "));
}

TEST_F(PowerDiskTest, WhatIsBelowALostDirectoryIsLost) {
  EXPECT_THAT(StatesAfter([&] {
                ASSERT_EQ(::mkdir((root_ / "d").c_str(), 0755), 0);
                Write("d/a", "1", true);
                ASSERT_TRUE(SyncDirectory(root_ / "d").ok());
              }),
              ElementsAre("", "d/a=1 "));
}

TEST_F(PowerDiskTest, AtomicallyWrittenFileIsOldOrNew) {
  EXPECT_THAT(StatesAfter([&] { ASSERT_TRUE(WriteFileAtomically(root_ / "a", "new").ok()); }),
              ElementsAre("a=new "));
}

TEST_F(PowerDiskTest, SyncThatFailedIsNotMadeGoodByTheNext) {
  const auto states = StatesAfter([&] { Write("a", "old", true); },
                                  [&] {
                                    FileDescriptor fd(::open((root_ / "a").c_str(), O_RDWR));
                                    ASSERT_EQ(::pwrite(fd.get(), "new", 3, 0), 3);
                                    PowerDisk::Get().Plan(Fault::kError, 1);
                                    ASSERT_NE(::fsync(fd.get()), 0);
                                    ASSERT_EQ(::fsync(fd.get()), 0);
                                  });
  EXPECT_THAT(states, ElementsAre("a=new ", "a=old "));
}

TEST_F(PowerDiskTest, AfterACutNothingHappensAnyMore) {
  PowerDisk::Get().Attach(root_);
  PowerDisk::Get().Plan(Fault::kCut, 3);
  EXPECT_FALSE(WriteFileAtomically(root_ / "a", "bytes").ok());
  EXPECT_TRUE(PowerDisk::Get().off());
  EXPECT_FALSE(WriteFileAtomically(root_ / "b", "bytes").ok());
  EXPECT_THAT(Show(), Not(::testing::HasSubstr("b=")));
}

TEST_F(PowerDiskTest, FullDiskHasRoomAgainAfterAWhile) {
  PowerDisk::Get().Attach(root_);
  PowerDisk::Get().Plan(Fault::kFull, 1, 2);
  EXPECT_EQ(WriteFileAtomically(root_ / "a", "bytes").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(WriteFileAtomically(root_ / "a", "bytes").ok());
  EXPECT_TRUE(WriteFileAtomically(root_ / "a", "bytes").ok());
}

}  // namespace
}  // namespace mozgach::power
