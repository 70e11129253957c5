// What the scheduler is told of memory and of what bases need.
#include <fstream>

#include "common/digest.h"
#include "tests/worker/session/session_fixture.h"
#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kGiB = 1 << 30;

class SessionMemoryTest : public SessionFixture {
 protected:
  void Up(int device, const std::string& name, uint64_t total, uint64_t free) {
    session_->TrainerSaid(
        device,
        TrainerReady{.device_name = name, .memory_total_bytes = total, .memory_free_bytes = free},
        now_);
    Poll();
  }
  // The newest call after all has been said.
  v1::SynchronizeRequest Told() {
    Answer({});
    Pass(Milliseconds(60'000));
    const auto call = TakeCall();
    return call.has_value() ? call->request : v1::SynchronizeRequest();
  }
};

TEST_F(SessionMemoryTest, FreeIsWhatANewJobCouldUse) {
  Up(0, "cpu", 16 * kGiB, 1);
  session_->TrainerUses(0, 4 * kGiB, /*mapped_bytes=*/kGiB);
  session_->HostHas({.available_bytes = 5 * kGiB, .pool = "host"});
  const v1::Device device = Told().devices(0);
  EXPECT_EQ(device.memory_total_bytes(), 16 * kGiB);
  EXPECT_EQ(device.memory_free_bytes(), 8 * kGiB) << "its idle trainer gives back what it holds";
  EXPECT_EQ(device.memory_pool(), "host");
  EXPECT_EQ(device.memory_pool_free_bytes(), 8 * kGiB);
  EXPECT_EQ(device.free_slots(), 1u);
}

TEST_F(SessionMemoryTest, BudgetBoundsWhatIsFree) {
  Begin({.memory_bytes = 2 * kGiB});
  Up(0, "cpu", 16 * kGiB, 1);
  session_->HostHas({.available_bytes = 5 * kGiB, .pool = "host"});
  v1::Device device = Told().devices(0);
  EXPECT_EQ(device.memory_total_bytes(), 2 * kGiB);
  EXPECT_EQ(device.memory_free_bytes(), 2 * kGiB);
  EXPECT_EQ(device.memory_pool_free_bytes(), 5 * kGiB);
  session_->HostHas({.available_bytes = kGiB, .pool = "host"});
  device = Told().devices(0);
  EXPECT_EQ(device.memory_free_bytes(), kGiB) << "the machine has less than the budget";
}

TEST_F(SessionMemoryTest, WhatAnotherProgramTakesIsToldAtOnce) {
  Up(0, "cpu", 16 * kGiB, 1);
  session_->HostHas({.available_bytes = 8 * kGiB, .pool = "host"});
  Settle({});
  // The next call is in flight, and held.
  std::optional<MakeCall> held;
  for (int turns = 0; turns < 1000 && !held.has_value(); ++turns) {
    Pass(Milliseconds(10));
    held = TakeCall();
  }
  ASSERT_TRUE(held.has_value());
  session_->HostHas({.available_bytes = 8 * kGiB - 1000, .pool = "host"});
  Pass(Milliseconds(200));
  EXPECT_FALSE(TakeCall().has_value()) << "a little is not worth a call";
  session_->HostHas({.available_bytes = 2 * kGiB, .pool = "host"});
  Pass(Milliseconds(200));
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->request.devices(0).memory_free_bytes(), 2 * kGiB);
}

TEST_F(SessionMemoryTest, MemoryOfAGpuIsNotThatOfTheHost) {
  Up(0, "cuda:0", 16 * kGiB, 15 * kGiB);
  session_->HostHas({.available_bytes = kGiB, .pool = "host"});
  const v1::Device device = Told().devices(0);
  EXPECT_EQ(device.memory_free_bytes(), 15 * kGiB);
  EXPECT_EQ(device.memory_pool(), "");
  session_->TrainerSaid(0, TrainerMemory{.free_bytes = 3 * kGiB, .used_bytes = 2 * kGiB}, now_);
  EXPECT_EQ(Told().devices(0).memory_free_bytes(), 5 * kGiB) << "others took the rest";
}

TEST_F(SessionMemoryTest, JobGoesToTheDeviceItWasPlacedOn) {
  Begin({.devices = 2});
  Up(0, "cuda:0", 4 * kGiB, 4 * kGiB);
  Up(1, "cuda:1", 64 * kGiB, 64 * kGiB);
  v1::Assignment assignment = Whole(7);
  assignment.set_device("cuda:1");
  Answer({assignment});
  EXPECT_EQ(attempt(7).device, 1);
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->request.devices(0).free_slots(), 1u);
  EXPECT_EQ(call->request.devices(1).free_slots(), 0u);
  EXPECT_EQ(call->request.free_slots(), 1u);
}

TEST_F(SessionMemoryTest, ConfigOfABaseIsToldWhenItIsWanted) {
  TemporaryFolder folder;
  const std::string text = R"({"model_type": "qwen2"})";
  folder.WriteBase("org/base", text);
  session_->BasesFound(FoundBases::Scan({folder.path()}));
  Poll();
  const v1::SynchronizeRequest before = Told();
  ASSERT_EQ(before.bases_size(), 1);
  EXPECT_EQ(before.bases(0).config_digest(), Sha256Hex(text));
  EXPECT_EQ(before.bases(0).config_json(), "");
  v1::SynchronizeResponse answer;
  answer.set_lease_ms(30'000);
  answer.add_wanted_configs("org/base");
  session_->Answered(call_, answer, now_);
  Poll();
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value()) << "at once";
  EXPECT_EQ(call->request.bases(0).config_json(), text);
  EXPECT_EQ(Told().bases(0).config_json(), "");
}

TEST_F(SessionMemoryTest, ConfigThatIsNoTextIsNotTold) {
  TemporaryFolder folder;
  for (const auto& [name, text] : {std::pair<std::string, std::string>{"binary", "{\xff}"},
                                   {"huge", std::string(300 << 10, ' ')}}) {
    folder.WriteBase("org/" + name, text);
  }
  const FoundBases found = FoundBases::Scan({folder.path()});
  for (const auto& [name, base] : found.all()) EXPECT_EQ(base.config_digest, "") << name;
  EXPECT_EQ(found.all().size(), 2u);
}

TEST(HostMemoryTest, ControlGroupLeavesWhatItsLimitLeaves) {
  TemporaryFolder folder;
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder.path() / name) << text << "\n";
  };
  EXPECT_EQ(LeftInControlGroup(folder.path()), UINT64_MAX);
  write("memory.max", "max");
  write("memory.current", "600");
  EXPECT_EQ(LeftInControlGroup(folder.path()), UINT64_MAX);
  write("memory.max", "1000");
  EXPECT_EQ(LeftInControlGroup(folder.path()), 400u);
  write("memory.stat", "anon 300\ninactive_file 250\nactive_file 50");
  EXPECT_EQ(LeftInControlGroup(folder.path()), 650u) << "what only caches files can be taken";
  write("memory.current", "5000");
  EXPECT_EQ(LeftInControlGroup(folder.path()), 0u);
}

TEST(HostMemoryTest, ThisHostSaysWhatItHas) {
  const HostMemory memory = LookAtHostMemory();
  EXPECT_GT(memory.available_bytes, uint64_t{1} << 20);
  EXPECT_EQ(memory.pool, LookAtHostMemory().pool);
}

}  // namespace
}  // namespace mozgach
