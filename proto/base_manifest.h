// What a BaseManifest may say, and the digest that names it.  Shared by those who make one
// (mozgachctl), who keep it (scheduler) and who put its files on disk (worker): none trusts
// another.
#pragma once

#include <string>

#include "common/status.h"
#include "mozgach/v1/worker_service.pb.h"

namespace mozgach {

// SHA-256 over the name, a line break, and for each file "sha256 size path\n": the same files under
// the same name have the same digest, whatever revisions they are known by.
std::string DigestOf(const v1::BaseManifest& manifest);

// Sorts the files, and sets digest and size from them.
void Seal(v1::BaseManifest& manifest);

// OK for a sealed manifest of a base as on the hub, with at least one file, each named and sized as
// common/base/base_files.h allows, none twice.  INVALID_ARGUMENT says what is wrong with it.
absl::Status CheckManifest(const v1::BaseManifest& manifest);

}  // namespace mozgach
