// A small random base of the Qwen2 shape and a domain on it, written by the tests themselves.
#pragma once

#include <filesystem>
#include <string>

#include "common/domain/domain_spec.h"
#include "trainer/adapter/adapter_job.h"
#include "trainer/train/base.h"

namespace mozgach {

// A directory below the system's temporary one, removed with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// config.json, model.safetensors (2 layers, hidden 32), a byte-level tokenizer and a ChatML
// template.  `seed` makes another base.
void WriteSmallBase(const std::filesystem::path& dir, int64_t seed = 1);

// train.jsonl (`rows` rows: "shout <letters>" → "<LETTERS>!"), validation.jsonl and test.jsonl.
void WriteSmallDataset(const std::filesystem::path& dir, int rows);

// A domain on both, in float32 and without quantisation: r 4, 20 steps, packed, 128 tokens.
DomainSpec SmallSpec();

// The job of `spec` on the dataset in `dir`, to `dir`/output, with `dir`/checkpoints.
AdapterJob SmallJob(const std::filesystem::path& dir, const DomainSpec& spec);

// `spec` as a domain file at `dir`/small.yaml.
std::filesystem::path WriteDomainFile(const std::filesystem::path& dir, const DomainSpec& spec);

// Fails the test where the base can't be loaded.
std::unique_ptr<Base> LoadSmallBase(const std::filesystem::path& dir, const DomainSpec& spec);

std::string ReadText(const std::filesystem::path& path);
void WriteText(const std::filesystem::path& path, const std::string& text);

}  // namespace mozgach
