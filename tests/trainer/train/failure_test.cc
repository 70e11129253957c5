#include "trainer/train/failure.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "trainer/device/torch_status.h"
#if __has_include(<oneapi/dnnl/dnnl_common.hpp>)
#include <oneapi/dnnl/dnnl_common.hpp>
#endif

namespace mozgach {
namespace {

using ::testing::HasSubstr;

TEST(FailureTest, ClassSurvivesAnnotation) {
  const absl::Status status = Annotate(
      WithClass(absl::InvalidArgumentError("bad row"), FailureClass::kData), "train.jsonl");
  EXPECT_EQ(ClassOf(status), FailureClass::kData);
  EXPECT_EQ(status.message(), "train.jsonl: bad row");
}

TEST(FailureTest, CodeDecidesWithoutClass) {
  EXPECT_EQ(ClassOf(absl::InvalidArgumentError("")), FailureClass::kUser);
  EXPECT_EQ(ClassOf(absl::DataLossError("")), FailureClass::kData);
  EXPECT_EQ(ClassOf(absl::OutOfRangeError("")), FailureClass::kData);
  EXPECT_EQ(ClassOf(absl::ResourceExhaustedError("disk")), FailureClass::kInfrastructure);
  EXPECT_EQ(ClassOf(absl::UnavailableError("")), FailureClass::kInfrastructure);
  EXPECT_EQ(ClassOf(absl::InternalError("read x: Input/output error")),
            FailureClass::kInfrastructure);
}

TEST(FailureTest, ExceptionOfLibtorchIsNotRetried) {
  const absl::Status status = CatchTorch([]() -> absl::Status {
    at::matmul(at::ones({2, 3}), at::ones({4, 5}));
    return absl::OkStatus();
  });
  EXPECT_EQ(ClassOf(Annotate(status, "validation")), FailureClass::kData);
  EXPECT_EQ(ClassOf(absl::InternalError("libtorch: CUDA error: misaligned address")),
            FailureClass::kInfrastructure);
}

TEST(FailureTest, DetectsOutOfMemoryFromEverySource) {
  const absl::Status standard =
      CatchingExceptions([]() -> absl::Status { throw std::bad_alloc(); });
  EXPECT_EQ(ClassOf(standard), FailureClass::kOutOfMemory);
  const absl::Status libtorch = CatchingExceptions([] {
    at::empty({int64_t{1} << 50}, at::kFloat).fill_(1);
    return absl::OkStatus();
  });
  EXPECT_EQ(ClassOf(libtorch), FailureClass::kOutOfMemory);
  EXPECT_THAT(std::string(libtorch.message()), HasSubstr("try a smaller"));
}

#if __has_include(<oneapi/dnnl/dnnl_common.hpp>)
TEST(FailureTest, DetectsOutOfMemoryOfOneDnnByStatus) {
  const auto thrown = [](dnnl_status_t status) {
    return CatchingExceptions(
        [&]() -> absl::Status { throw dnnl::error(status, "could not create a primitive"); });
  };
  EXPECT_EQ(ClassOf(thrown(dnnl_out_of_memory)), FailureClass::kOutOfMemory);
  EXPECT_EQ(ClassOf(thrown(dnnl_unimplemented)), FailureClass::kData);
}
#endif

TEST(FailureTest, OtherExceptionsOfLibtorchKeepTheirFirstLine) {
  const absl::Status status = CatchingExceptions([] {
    at::matmul(at::ones({2, 3}), at::ones({4, 5}));
    return absl::OkStatus();
  });
  EXPECT_EQ(ClassOf(status), FailureClass::kData);
  EXPECT_THAT(std::string(status.message()), HasSubstr("libtorch: "));
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace mozgach
