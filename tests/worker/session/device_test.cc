#include "worker/session/device.h"

#include <gtest/gtest.h>

namespace mozgach {
namespace {

TEST(DeviceTest, StartsOnceAndIsUpWhenItsTrainerIsReady) {
  Device device({}, 1);
  EXPECT_TRUE(device.ShouldStart(Milliseconds(5)));
  EXPECT_FALSE(device.ShouldStart(Milliseconds(6)));
  EXPECT_FALSE(device.up());
  device.Ready({.device_name = "cpu"});
  EXPECT_TRUE(device.up());
  EXPECT_EQ(device.restarts(), 0);
  EXPECT_EQ(device.NextDue(), Milliseconds::max());
}

TEST(DeviceTest, FirstStartIsNoRestart) {
  Device device({}, 1);
  device.ShouldStart(Milliseconds(0));
  const Milliseconds wait = device.Exited(Milliseconds(0));
  EXPECT_FALSE(device.ShouldStart(wait - Milliseconds(1)));
  EXPECT_TRUE(device.ShouldStart(wait));
  EXPECT_EQ(device.restarts(), 1);
  EXPECT_EQ(device.fruitless_starts(), 1);
}

TEST(DeviceTest, TrainerThatHoldsMoreAndMoreIsEnded) {
  constexpr uint64_t kGiB = 1 << 30;
  Device device({}, 1);
  device.ShouldStart(Milliseconds(0));
  device.Ready({});
  EXPECT_FALSE(device.JobDone(3 * kGiB)) << "the base, and what the first job brought in";
  EXPECT_FALSE(device.JobDone(3 * kGiB + kGiB / 2));
  EXPECT_FALSE(device.JobDone(0)) << "it did not say";
  EXPECT_TRUE(device.JobDone(4 * kGiB));
  EXPECT_FALSE(device.up());
  EXPECT_FALSE(device.ShouldStart(Milliseconds(5))) << "it is not gone yet";
  EXPECT_TRUE(device.ShouldStart(device.Exited(Milliseconds(5)) + Milliseconds(5)));
  device.Ready({});
  EXPECT_FALSE(device.JobDone(4 * kGiB)) << "another trainer counts from the start";
}

TEST(DeviceTest, RetiredDeviceStartsNoTrainer) {
  Device device({}, 1);
  device.Retire();
  EXPECT_FALSE(device.ShouldStart(Milliseconds(100'000)));
  EXPECT_EQ(device.NextDue(), Milliseconds::max());
}

TEST(DeviceTest, CondemnedTrainerIsKilledOnce) {
  Device device({}, 1);
  device.Condemn();
  EXPECT_FALSE(device.ShouldKill(Milliseconds(0))) << "there is none";
  device.ShouldStart(Milliseconds(0));
  device.Ready({});
  device.Condemn();
  EXPECT_TRUE(device.ShouldKill(Milliseconds(0)));
  EXPECT_FALSE(device.ShouldKill(Milliseconds(0)));
  device.Exited(Milliseconds(0));
  EXPECT_TRUE(device.ShouldStart(Milliseconds(60'000)));
  EXPECT_FALSE(device.ShouldKill(Milliseconds(60'000)));
}

}  // namespace
}  // namespace mozgach
