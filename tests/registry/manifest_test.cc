#include "registry/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/digest.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

VersionFile File(const std::string& path) { return {path, Sha256Hex(path), path.size()}; }

TEST(ManifestTest, SaysWhatEveryFileIs) {
  Version version;
  version.domain = "law";
  version.number = 3;
  version.job = 17;
  version.attempt = 2;
  version.base = "mozgach/tiny";
  version.files = {File("adapter_config.json"), File("mlx/adapters.safetensors")};
  const nlohmann::json manifest = nlohmann::json::parse(ManifestJson(version));
  EXPECT_EQ(manifest["version"], "v0003");
  EXPECT_EQ(manifest["job"], 17);
  EXPECT_EQ(manifest["attempt"], 2);
  EXPECT_EQ(manifest["base"], "mozgach/tiny");
  EXPECT_EQ(manifest["published_at"], "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(manifest["files"].size(), 2u);
  EXPECT_EQ(manifest["files"]["adapter_config.json"]["sha256"], Sha256Hex("adapter_config.json"));
  EXPECT_EQ(manifest["files"]["adapter_config.json"]["size"], 19);
}

TEST(ManifestTest, FilesThatCannotLieSideBySideAreRefused) {
  EXPECT_TRUE(CheckVersionFiles({File("a"), File("b/c"), File("b/d")}).ok());
  EXPECT_FALSE(CheckVersionFiles({}).ok());
  EXPECT_FALSE(CheckVersionFiles({File("a"), File("a")}).ok());
  EXPECT_FALSE(CheckVersionFiles({File("a"), File("a/b")}).ok());
  EXPECT_FALSE(CheckVersionFiles({File("a/b/c"), File("a/b")}).ok());
  EXPECT_FALSE(CheckVersionFiles({File("a"), File("metrics.json/a")}).ok());
  EXPECT_FALSE(CheckVersionFiles({File("manifest.json/a/b")}).ok());
  EXPECT_TRUE(CheckVersionFiles({File("a/metrics.json"), File("b/manifest.json/c")}).ok());
  EXPECT_FALSE(CheckVersionFiles({File("../a")}).ok());
  EXPECT_FALSE(CheckVersionFiles({VersionFile{"a", "not a digest", 1}}).ok());
}

TEST(ManifestTest, RejectsNamesThatAreOneOnCaseInsensitiveDisks) {
  for (const auto& [one, other] :
       {std::pair("a.json", "A.json"), std::pair("mlx/a.json", "mlx/A.json"),
        std::pair("mlx/a.json", "MLX/b.json"), std::pair("a.json", "A.JSON/b")}) {
    EXPECT_FALSE(CheckVersionFiles({File(one), File(other)}).ok()) << one << " " << other;
  }
  EXPECT_FALSE(CheckVersionFiles({File("Manifest.json")}).ok());
  EXPECT_FALSE(CheckVersionFiles({File("METRICS.json")}).ok());
}

TEST(ManifestTest, AThousandFilesAreTheMost) {
  std::vector<VersionFile> files;
  for (int i = 0; i < 1000; ++i) files.push_back(File(std::to_string(i)));
  EXPECT_TRUE(CheckVersionFiles(files).ok());
  files.push_back(File("one more"));
  EXPECT_FALSE(CheckVersionFiles(files).ok());
}

}  // namespace
}  // namespace mozgach
