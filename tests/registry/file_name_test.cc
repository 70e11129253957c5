#include "registry/file_name.h"

#include <gtest/gtest.h>

#include <string>

#include "registry/version.h"

namespace mozgach {
namespace {

TEST(AdapterFileTest, DataIsTakenAndWhatRunsWhenItIsLoadedIsNot) {
  for (const char* path : {"adapter_model.safetensors", "mlx/adapters.safetensors", "README.md",
                           "adapter_config.json", "gguf/law.gguf", "chat_template.jinja"}) {
    EXPECT_TRUE(CheckAdapterFile(path).ok()) << path;
  }
  for (const char* path :
       {"adapter_model.bin", "a.pt", "a.pkl", "a.pth", "modeling.py", "run.sh", "a.so",
        "safetensors", "a.safetensors.bin", "a.json/b", "../a.json", ""}) {
    EXPECT_FALSE(CheckAdapterFile(path).ok()) << path;
  }
}

TEST(AdapterFileTest, NamesThatADiskMayChangeAreRejected) {
  for (const char* path : {"тетрадь.json", "caf\u00e9.json", "cafe\u0301.json", "a./b.json",
                           "a /b.json", "a:b.json", "what?.json", "a*.json"}) {
    EXPECT_FALSE(CheckAdapterFile(path).ok()) << path;
  }
}

TEST(FileNameTest, PlainNamesAreTaken) {
  for (const char* name : {"a", "adapter_model.safetensors", "mlx/adapters.safetensors",
                           "a.b-c_d/e", "...", "тетрадь.json"}) {
    EXPECT_TRUE(CheckRelativePath(name).ok()) << name;
  }
}

TEST(FileNameTest, NothingLeavesTheDirectory) {
  for (const char* name : {"", "/etc/passwd", "..", "../x", "a/../../x", "a/..", ".", "./a",
                           "a/./b", "a//b", "a/", "a\\..\\b"}) {
    EXPECT_EQ(CheckRelativePath(name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST(FileNameTest, BytesThatAreNoTextAreRefused) {
  EXPECT_FALSE(CheckRelativePath("adapter_\x92.json").ok());
  EXPECT_FALSE(CheckRelativePath("\xc0\xaf").ok()) << "an overlong slash";
}

TEST(FileNameTest, ControlCharactersAreRefused) {
  EXPECT_FALSE(CheckRelativePath(std::string_view("a\0b", 3)).ok());
  EXPECT_FALSE(CheckRelativePath("a\nb").ok());
  EXPECT_FALSE(CheckRelativePath("a\x7f").ok());
}

TEST(FileNameTest, LengthAndDepthAreBounded) {
  EXPECT_TRUE(CheckRelativePath(std::string(255, 'a')).ok());
  EXPECT_FALSE(CheckRelativePath(std::string(256, 'a')).ok());
  EXPECT_FALSE(CheckRelativePath(std::string(10000, 'a')).ok());
  EXPECT_TRUE(CheckRelativePath("1/2/3/4/5/6/7/8").ok());
  EXPECT_FALSE(CheckRelativePath("1/2/3/4/5/6/7/8/9").ok());
}

TEST(AliasNameTest, AliasIsNoVersionAndNoPath) {
  for (const char* alias : {"champion", "latest", "v", "a-b_c", "v1a", "2024-best"}) {
    EXPECT_EQ(CheckAliasName(alias).ok(), std::string(alias) != "v") << alias;
  }
  for (const char* alias : {"", "v0001", "7", "V1", "..", "a/b", "-a", "_a", "é"}) {
    EXPECT_FALSE(CheckAliasName(alias).ok()) << alias;
  }
}

TEST(VersionNameTest, NamesGoThereAndBack) {
  EXPECT_EQ(VersionName(7), "v0007");
  EXPECT_EQ(VersionName(12345), "v12345");
  EXPECT_EQ(ParseVersionName("v0007"), 7);
  EXPECT_EQ(ParseVersionName("7"), 7);
  for (const char* text : {"", "v", "0", "v0000", "-1", "7a", "latest", "99999999999999999999"}) {
    EXPECT_FALSE(ParseVersionName(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace mozgach
