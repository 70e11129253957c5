// How much memory a caller can make the scheduler use.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

constexpr size_t kMiB = 1 << 20;

// The largest resident size since ResetPeak, in MiB; -1 where the system does not say.
int64_t PeakMiB() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib / 1024;
  }
  return -1;
}

void ResetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

class CallMemoryTest : public Service {
 protected:
  // A call of List whose request is one unknown field of `bytes` bytes.  All calls send the same
  // bytes: what the process grows by is what the scheduler stores.
  grpc::Status Send(size_t bytes, grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    if (message_.size() != bytes) {
      message_.assign(bytes, 'a');
      // Field 99, a text of all bytes that follow these seven.
      const size_t length = bytes - 7;
      const char head[] = {'\x9a',
                           '\x06',
                           static_cast<char>(0x80 | (length & 0x7f)),
                           static_cast<char>(0x80 | (length >> 7 & 0x7f)),
                           static_cast<char>(0x80 | (length >> 14 & 0x7f)),
                           static_cast<char>(0x80 | (length >> 21 & 0x7f)),
                           static_cast<char>(length >> 28)};
      message_.replace(0, sizeof(head), head, sizeof(head));
    }
    const grpc::Slice slice(message_.data(), message_.size(), grpc::Slice::STATIC_SLICE);
    return SendSlice(slice, compression);
  }
  grpc::Status SendSlice(const grpc::Slice& slice, grpc_compression_algorithm compression) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxSendMessageSize(-1);
    grpc::GenericStub stub(grpc::CreateCustomChannel(
        daemon_->grpc_address(), grpc::InsecureChannelCredentials(), arguments));
    DeadlineContext deadline;
    deadline.context.set_compression_algorithm(compression);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> answer;
    stub.UnaryCall(&deadline.context, "/mozgach.v1.JobService/List", grpc::StubOptions(), &request,
                   &response, [&](grpc::Status status) { answer.set_value(std::move(status)); });
    return answer.get_future().get();
  }

  std::string message_;
};

TEST_F(CallMemoryTest, CompressedMessagesAreRefusedBeforeTheyAreInflated) {
  ASSERT_TRUE(Send(kMiB).ok());
  message_.assign(60 * kMiB, 'a');
  const grpc::Slice slice(message_.data(), message_.size(), grpc::Slice::STATIC_SLICE);
  for (const auto compression : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    ResetPeak();
    const int64_t before = PeakMiB();
    const grpc::Status status = SendSlice(slice, compression);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), ::testing::HasSubstr("is disabled"));
    EXPECT_LT(PeakMiB() - before, 40);
  }
  EXPECT_TRUE(Send(kMiB).ok());
}

TEST_F(CallMemoryTest, OneMessageThatIsFarTooLargeIsNotStored) {
  ASSERT_TRUE(Send(kMiB).ok());
  message_.assign(600 * kMiB, 'a');
  const grpc::Slice slice(message_.data(), message_.size(), grpc::Slice::STATIC_SLICE);
  ResetPeak();
  const int64_t before = PeakMiB();
  EXPECT_EQ(SendSlice(slice, GRPC_COMPRESS_NONE).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_LT(PeakMiB() - before, 400);
  EXPECT_TRUE(Send(kMiB).ok());
}

TEST_F(CallMemoryTest, ManyLargeMessagesAtOnceAreBounded) {
  ASSERT_TRUE(Send(60 * kMiB).ok()) << "one at a time";
  ResetPeak();
  const int64_t before = PeakMiB();
  const grpc::Slice slice(message_.data(), message_.size(), grpc::Slice::STATIC_SLICE);
  std::vector<std::thread> callers;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 16; ++i) {
    callers.emplace_back([&] {
      const grpc::Status status = SendSlice(slice, GRPC_COMPRESS_NONE);
      if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) ++refused;
    });
  }
  for (std::thread& caller : callers) caller.join();
  RecordProperty("grown_mib", static_cast<int>(PeakMiB() - before));
  RecordProperty("refused", refused);
  EXPECT_LT(PeakMiB() - before, 650);
  EXPECT_TRUE(Send(kMiB).ok()) << "the scheduler serves on";
}

}  // namespace
}  // namespace mozgach
