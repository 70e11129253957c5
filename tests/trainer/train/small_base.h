// A small random base of the Qwen2 shape and a domain for it, both written by the tests.
#pragma once

#include <filesystem>
#include <string>

#include "common/domain/domain_spec.h"
#include "trainer/adapter/adapter_job.h"
#include "trainer/train/base.h"

namespace mozgach {

// A directory below the system's temporary directory. The destructor removes it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Writes config.json, model.safetensors (2 layers, hidden 32), a byte-level tokenizer and a ChatML
// template. Each `seed` gives a different base.
void WriteSmallBase(const std::filesystem::path& dir, int64_t seed = 1);

// Writes train.jsonl (`rows` rows: "shout <letters>" → "<LETTERS>!"), validation.jsonl and
// test.jsonl.
void WriteSmallDataset(const std::filesystem::path& dir, int rows);

// A domain with this base and dataset, in float32 and without quantisation: r 4, 20 steps, packed,
// 128 tokens.
DomainSpec SmallSpec();

// A job of `spec` with the dataset in `dir`. Writes to `dir`/output and `dir`/checkpoints.
AdapterJob SmallJob(const std::filesystem::path& dir, const DomainSpec& spec);

// Writes `spec` as a domain file to `dir`/small.yaml.
std::filesystem::path WriteDomainFile(const std::filesystem::path& dir, const DomainSpec& spec);

// Loads the base; fails the test if that is impossible.
std::unique_ptr<Base> LoadSmallBase(const std::filesystem::path& dir, const DomainSpec& spec);

std::string ReadText(const std::filesystem::path& path);
void WriteText(const std::filesystem::path& path, const std::string& text);

}  // namespace mozgach
