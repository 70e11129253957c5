// Any bytes as the manifest.json of a base that a worker has fetched: it is believed or dropped
// with its folder, and nothing beside the cache's folder is touched. The digest that names the
// folder is made that of the bytes, which no mutation would hit.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "proto/base_manifest.h"
#include "tests/worker/temporary_folder.h"
#include "worker/transfer/base_cache.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

std::string DigestSaid(const std::string& text) {
  v1::BaseManifest manifest;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  try {
    manifest.set_base(json.at("base").get<std::string>());
    for (const auto& entry : json.at("files")) {
      v1::File& file = *manifest.add_files();
      file.set_path(entry.at("path").get<std::string>());
      file.set_sha256(entry.at("sha256").get<std::string>());
      file.set_size(static_cast<uint64_t>(WholeNumber(entry.at("size"), 0)));
    }
  } catch (const nlohmann::json::exception&) {
    return std::string(64, '0');
  }
  Seal(manifest);
  return manifest.digest();
}

}  // namespace
}  // namespace mozgach

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mozgach::TemporaryFolder place;
  static mozgach::SchedulerClient nobody("127.0.0.1:1");
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string digest = mozgach::DigestSaid(text);
  const std::string home = "bases/" + digest + "/";
  place.Write("secret", "kept");
  place.Write(home + "manifest.json", text);
  place.Write(home + "files/config.json", "hello");

  mozgach::BaseCache cache(place.path() / "bases", nobody);
  if (!cache.Open().ok()) abort();
  cache.Room();
  for (const mozgach::FoundBase& base : cache.Held()) {
    if (base.digest != digest) abort();
  }
  std::ifstream secret(place.path() / "secret");
  if (std::string(std::istreambuf_iterator<char>(secret), {}) != "kept") abort();
  for (const auto& entry : mozgach::fs::directory_iterator(place.path())) {
    if (entry.path().filename() != "secret" && entry.path().filename() != "bases") abort();
  }
  mozgach::fs::remove_all(place.path() / "bases");
  return 0;
}
