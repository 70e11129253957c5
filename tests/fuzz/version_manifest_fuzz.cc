// Any result of a worker, as text, as a version's directory: what is taken is staged below staging/
// and nowhere else, and its manifest.json tells a reader who knows nothing of the registry what
// every file is. The digest and size of a file are made those of a blob that is there, which no
// mutation would hit.
#include <cstdint>
#include <string>

#include "common/digest.h"
#include "registry/blob_upload.h"
#include "registry/manifest.h"
#include "registry/version_files.h"
#include "scheduler/core/publication.h"
#include "tests/fuzz/text_message.h"
#include "tests/invariants/version_directory.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

constexpr char kBytes[] = "hello";

class Registry {
 public:
  Registry()
      : blobs_(directory_.path() / "blobs", 1 << 20), files_(directory_.path() / "registry") {
    if (!blobs_.Open().ok() || !files_.Open().ok()) Fail("no registry");
    const auto upload = blobs_.Upload(Sha256Hex(kBytes), sizeof(kBytes) - 1, 0);
    if (!upload.ok() || !(*upload)->Append(kBytes).ok() || !(*upload)->Finish().ok())
      Fail("no blob");
  }

  void Stage(v1::Result result) {
    for (v1::File& file : *result.mutable_files()) {
      file.set_sha256(Sha256Hex(kBytes));
      file.set_size(sizeof(kBytes) - 1);
    }
    Job job;
    job.job = 7;
    job.attempt = 1;
    job.domain = "law";
    job.base = "mozgach/tiny";
    absl::StatusOr<Version> version = VersionOf(Now{}, job, 1, result);
    if (!version.ok()) return;
    version->number = 1;
    if (const absl::Status staged = files_.Stage(*version, blobs_); !staged.ok()) {
      Fail(std::string(staged.message()));
    }
    VersionDirectory found;
    const auto staging = directory_.path() / "registry/staging";
    for (const std::string& problem : LookAt(staging / "7-1", &found)) Fail(problem);
    if (found.files.size() != version->files.size()) Fail("the manifest does not name every file");
    for (const auto& entry : std::filesystem::directory_iterator(staging)) {
      if (entry.path().filename() != "7-1") Fail(entry.path().string() + " has come");
    }
  }

 private:
  const TemporaryDirectory directory_;
  BlobStore blobs_;
  VersionFiles files_;
};

}  // namespace
}  // namespace mozgach

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static mozgach::Registry registry;
  mozgach::v1::Result result;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (mozgach::ParseText(text, &result)) registry.Stage(result);
  return 0;
}
