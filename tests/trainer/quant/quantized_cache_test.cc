#include "trainer/quant/quantized_cache.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/trainer/checkpoint/temporary_directory.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/quant/four_bit_checkpoint.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr char kWeightName[] = "model.layers.0.mlp.up_proj.weight";

class QuantizedCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        WriteSafetensors(directory_ / "model.safetensors", {{kWeightName, weight_}}, {}).ok());
  }

  WeightFiles Base() const { return *WeightFiles::Open(directory_.path()); }
  fs::path Folder() const { return directory_ / "cache"; }

  static QuantizedForm Form(char digit = 'a') { return {std::string(64, digit), true, 2}; }

  void Keep(const QuantizedCache& cache, const QuantizedForm& form) const {
    const auto draft = cache.Begin(Base());
    ASSERT_NE(draft, nullptr);
    draft->Add(kWeightName, quantized_);
    cache.Keep(*draft, form);
  }

  bool Holds(const QuantizedCache& cache, const QuantizedForm& form) const {
    const auto kept = cache.Find(form);
    if (!kept) return false;
    const auto read = ReadFourBit(*kept, kWeightName, {64, 96});
    if (!read.ok()) return false;
    at::Tensor ours = at::empty({64, 96}), theirs = at::empty({64, 96});
    read->DequantizeInto(ours);
    quantized_.DequantizeInto(theirs);
    return at::equal(ours, theirs);
  }

  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(Folder())) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
  }

  TemporaryDirectory directory_;
  const at::Tensor weight_ = at::randn({64, 96});
  const QuantizedWeight quantized_ = *QuantizeNf4(weight_, true);
};

TEST_F(QuantizedCacheTest, KeptBaseIsFoundByAnotherCache) {
  Keep(QuantizedCache(Folder()), Form());
  EXPECT_TRUE(Holds(QuantizedCache(Folder()), Form()));
  EXPECT_EQ(Files().size(), 1u);
}

TEST_F(QuantizedCacheTest, DoesNotFindAnotherBaseOrForm) {
  const QuantizedCache cache(Folder());
  Keep(cache, Form());
  QuantizedForm single = Form(), threads = Form();
  single.double_quant = false;
  threads.threads = 4;
  EXPECT_FALSE(cache.Find(Form('b')));
  EXPECT_FALSE(cache.Find(single));
  EXPECT_FALSE(cache.Find(threads));
}

TEST_F(QuantizedCacheTest, IgnoresFileUnderWrongName) {
  const QuantizedCache cache(Folder());
  Keep(cache, Form('a'));
  fs::rename(Files()[0], Files()[0].parent_path() / (Form('b').Name() + ".safetensors"));
  EXPECT_FALSE(cache.Find(Form('b')));
}

TEST_F(QuantizedCacheTest, RemovesFileDamagedAnywhere) {
  const QuantizedCache cache(Folder());
  Keep(cache, Form());
  const auto size = static_cast<int64_t>(fs::file_size(Files()[0]));
  for (int64_t at : {int64_t{0}, int64_t{9}, int64_t{40}, size / 2, size - 200, size - 1}) {
    Keep(cache, Form());
    {
      std::fstream file(Files()[0], std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(at);
      const char byte = static_cast<char>(file.get() ^ 0x10);
      file.seekp(at);
      file.put(byte);
    }
    EXPECT_FALSE(cache.Find(Form())) << at;
    EXPECT_TRUE(Files().empty()) << at;
  }
  Keep(cache, Form());
  fs::resize_file(Files()[0], static_cast<uintmax_t>(size / 2));
  EXPECT_FALSE(cache.Find(Form()));
  Keep(cache, Form());
  EXPECT_TRUE(Holds(cache, Form()));
}

TEST_F(QuantizedCacheTest, RemovesLeastRecentlyUsedAboveLimit) {
  Keep(QuantizedCache(Folder()), Form('a'));
  const auto one = static_cast<int64_t>(fs::file_size(Files()[0]));
  const QuantizedCache cache(Folder(), 2 * one + one / 2);
  const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  pause();
  Keep(cache, Form('b'));
  pause();
  EXPECT_TRUE(Holds(cache, Form('a')));  // marks it as used: b is now the oldest
  pause();
  Keep(cache, Form('c'));
  EXPECT_TRUE(Holds(cache, Form('a')));
  EXPECT_FALSE(cache.Find(Form('b')));
  EXPECT_TRUE(Holds(cache, Form('c')));
  const QuantizedCache tiny(Folder(), one / 2);
  Keep(tiny, Form('d'));
  EXPECT_TRUE(Files().empty());
}

TEST_F(QuantizedCacheTest, DroppedFileStaysReadableWhileMapped) {
  const QuantizedCache cache(Folder());
  Keep(cache, Form());
  const auto kept = cache.Find(Form());
  cache.Drop(Form());
  EXPECT_TRUE(ReadFourBit(*kept, kWeightName, {64, 96}).ok());
}

TEST_F(QuantizedCacheTest, UnkeptDraftLeavesNoFile) {
  const QuantizedCache cache(Folder());
  {
    const auto draft = cache.Begin(Base());
    draft->Add(kWeightName, quantized_);
    EXPECT_EQ(Files().size(), 1u);
  }
  EXPECT_TRUE(Files().empty());
}

TEST_F(QuantizedCacheTest, RemovesDraftsOfDeadProcessesOnly) {
  const QuantizedCache cache(Folder());
  fs::create_directories(Folder() / "quantized");
  std::ofstream(Folder() / "quantized" / "1.0.draft") << "left behind";
  const auto living = cache.Begin(Base());
  const auto second = cache.Begin(Base());
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_FALSE(fs::exists(Folder() / "quantized" / "1.0.draft"));
}

TEST_F(QuantizedCacheTest, TwoWritersOfTheSameBaseBothSucceed) {
  const QuantizedCache one(Folder()), other(Folder());
  const auto first = one.Begin(Base()), second = other.Begin(Base());
  first->Add(kWeightName, quantized_);
  second->Add(kWeightName, quantized_);
  one.Keep(*first, Form());
  other.Keep(*second, Form());
  EXPECT_TRUE(Holds(one, Form()));
  EXPECT_EQ(Files().size(), 1u);
}

TEST_F(QuantizedCacheTest, UnwritableFolderIsIgnored) {
  std::ofstream(directory_ / "file") << "in the way";
  const QuantizedCache cache(directory_ / "file");
  EXPECT_EQ(cache.Begin(Base()), nullptr);
  EXPECT_FALSE(cache.Find(Form()));
  const QuantizedCache none{fs::path()};
  EXPECT_EQ(none.Begin(Base()), nullptr);
  EXPECT_FALSE(none.Find(Form()));
}

TEST_F(QuantizedCacheTest, RemovedFolderIsIgnored) {
  const QuantizedCache cache(Folder());
  const auto draft = cache.Begin(Base());
  fs::remove_all(Folder());
  draft->Add(kWeightName, quantized_);
  cache.Keep(*draft, Form());
  EXPECT_FALSE(cache.Find(Form()));
}

TEST_F(QuantizedCacheTest, FullDiskIsIgnored) {
  const QuantizedCache cache(Folder());
  const auto draft = cache.Begin(Base());
  // Limits the size of files to a kilobyte, which has the effect of a full disk.
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {1024, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  draft->Add(kWeightName, quantized_);
  cache.Keep(*draft, Form());
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(cache.Find(Form()));
  EXPECT_TRUE(Files().empty());
}

}  // namespace
}  // namespace mozgach
