#include "proto/base_manifest.h"

#include "common/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mozgach {
namespace {

v1::BaseManifest Tiny() {
  v1::BaseManifest manifest;
  manifest.set_base("mozgach/tiny");
  manifest.add_revisions("main");
  for (const char* path : {"model.safetensors", "config.json"}) {
    v1::File& file = *manifest.add_files();
    file.set_path(path);
    file.set_sha256(Sha256Hex(path));
    file.set_size(10);
  }
  Seal(manifest);
  return manifest;
}

TEST(BaseManifestTest, SealedManifestIsValidAndKnowsItsSize) {
  EXPECT_TRUE(CheckManifest(Tiny()).ok()) << CheckManifest(Tiny());
  EXPECT_EQ(Tiny().size_bytes(), 20u);
  EXPECT_EQ(Tiny().files(0).path(), "config.json");
}

TEST(BaseManifestTest, DigestIsOfNameAndFilesAndNotOfRevisions) {
  v1::BaseManifest other = Tiny();
  other.clear_revisions();
  EXPECT_EQ(DigestOf(other), Tiny().digest());
  other.set_base("mozgach/other");
  EXPECT_NE(DigestOf(other), Tiny().digest());
}

TEST(BaseManifestTest, WhatWasChangedAfterSealingIsRefused) {
  v1::BaseManifest manifest = Tiny();
  manifest.mutable_files(0)->set_sha256(Sha256Hex("else"));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckManifest(manifest)));
}

TEST(BaseManifestTest, NamesThatLeadElsewhereAreRefused) {
  for (const char* path : {"../config.json", "/etc/passwd", "a/../b", ".ssh", "a\tb", ""}) {
    v1::BaseManifest manifest = Tiny();
    manifest.mutable_files(0)->set_path(path);
    Seal(manifest);
    EXPECT_TRUE(absl::IsInvalidArgument(CheckManifest(manifest))) << path;
  }
  for (const char* name : {"..", "../x", "/x", "a/b/c", "a@b", ""}) {
    v1::BaseManifest manifest = Tiny();
    manifest.set_base(name);
    Seal(manifest);
    EXPECT_TRUE(absl::IsInvalidArgument(CheckManifest(manifest))) << name;
  }
}

TEST(BaseManifestTest, DoubleFilesSizesBeyondReasonAndNoFilesAreRefused) {
  v1::BaseManifest twice = Tiny();
  *twice.add_files() = twice.files(0);
  Seal(twice);
  EXPECT_TRUE(absl::IsInvalidArgument(CheckManifest(twice)));
  v1::BaseManifest huge = Tiny();
  huge.mutable_files(0)->set_size(UINT64_MAX - 5);
  Seal(huge);
  EXPECT_TRUE(absl::IsInvalidArgument(CheckManifest(huge)));
  v1::BaseManifest empty = Tiny();
  empty.clear_files();
  Seal(empty);
  EXPECT_TRUE(absl::IsInvalidArgument(CheckManifest(empty)));
}

}  // namespace
}  // namespace mozgach
