#include "trainer/checkpoint/mapping_fault.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/temporary_directory.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

// Reads a tensor after its file was truncated.
double ReadCutOff(const std::filesystem::path& path) {
  const auto file = SafetensorsFile::Open(path);
  std::filesystem::resize_file(path, 4096);
  return (*file)->Tensor((*file)->tensors().at("a")).sum().item<double>();
}

TEST(MappingFaultDeathTest, NamesFileThatIsTruncatedInUse) {
  TemporaryDirectory directory;
  const auto path = directory / "cut.safetensors";
  ASSERT_TRUE(WriteSafetensors(path, {{"a", at::full({100000}, 1.0f)}}, {}).ok());
  EXPECT_EXIT(ReadCutOff(path), ::testing::KilledBySignal(SIGBUS),
              "cut.safetensors: was cut off while it was in use");
}

}  // namespace
}  // namespace mozgach
