// Published tokenizers, where ../shared/data is there, and that of the embedded base.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "tests/trainer/tokenizer/tiny_tokenizer.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;

fs::path Source() {
  const char* source = getenv("MOZGACH_SOURCE_DIR");
  return source == nullptr ? fs::current_path() : fs::path(source);
}

fs::path Data() { return Source().parent_path() / "shared" / "data"; }

std::shared_ptr<const Tokenizer> LoadBase(const fs::path& base) {
  absl::StatusOr<std::shared_ptr<const Tokenizer>> tokenizer = Tokenizer::Load(base);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return tokenizer.ok() ? *tokenizer : nullptr;
}

#define SKIP_WITHOUT(path) \
  if (!fs::exists(path)) GTEST_SKIP() << (path).string() << " is not there"

std::vector<json> Rows(const fs::path& path) {
  std::vector<json> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) rows.push_back(json::parse(line));
  return rows;
}

class QwenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(QwenTest, EveryVectorHasItsIdsAndComesBack) {
  const fs::path vectors = Data() / "tokenizer_vectors" / (GetParam() + std::string(".jsonl"));
  SKIP_WITHOUT(vectors);
  const auto tokenizer = LoadBase(Data() / "tokenizers" / GetParam());
  ASSERT_NE(tokenizer, nullptr);
  for (const json& row : Rows(vectors)) {
    const std::vector<int32_t> ids = MustEncode(*tokenizer, row["text"]);
    EXPECT_EQ(ids, row["ids"].get<std::vector<int32_t>>()) << row["text"];
    const std::string decoded = tokenizer->Decode(ids, /*skip_special=*/false);
    EXPECT_EQ(MustEncode(*tokenizer, decoded), ids) << row["text"];
  }
}

TEST_P(QwenTest, ItsRolesAreThoseOfItsConfig) {
  const fs::path base = Data() / "tokenizers" / GetParam();
  SKIP_WITHOUT(base);
  const auto tokenizer = LoadBase(base);
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->TokenId("<|im_end|>"), 151645);
  EXPECT_EQ(tokenizer->EosId(), 151645);
  EXPECT_EQ(tokenizer->PadId(), 151643);
  EXPECT_EQ(tokenizer->BosToPrepend(), std::nullopt);
  EXPECT_THAT(tokenizer->StopIds(), ElementsAre(151645));
  EXPECT_TRUE(tokenizer->IsSpecial(151644));
  EXPECT_FALSE(tokenizer->IsSpecial(0));
  EXPECT_EQ(tokenizer->TokenText(220), "\u0120");
}

INSTANTIATE_TEST_SUITE_P(Published, QwenTest, ::testing::Values("qwen2.5", "qwen3"),
                         [](const auto& info) {
                           return std::string(info.param) == "qwen3" ? "Qwen3" : "Qwen25";
                         });

TEST(Stories260KTest, TheGoldenTextHasTheGoldenIds) {
  const fs::path base = Data() / "stories260K" / "hf_qwen2_layout";
  SKIP_WITHOUT(base / "golden.json");
  std::ifstream file(base / "golden.json");
  const json golden = json::parse(file);
  const auto tokenizer = LoadBase(base);
  ASSERT_NE(tokenizer, nullptr);
  const std::vector<int32_t> ids = golden["greedy_ids"];
  EXPECT_EQ(MustEncode(*tokenizer, golden["greedy_text"]), ids);
  EXPECT_EQ(tokenizer->Decode(ids, /*skip_special=*/true), golden["greedy_text"]);
  EXPECT_EQ(tokenizer->BosToPrepend(), golden["bos"].get<int32_t>());
}

TEST(MistralTest, TextComesBackAndBytesStandForWhatHasNoPiece) {
  const fs::path base = Data() / "tokenizers" / "mistral";
  SKIP_WITHOUT(base);
  const auto tokenizer = LoadBase(base);
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->BosToPrepend(), 1);
  EXPECT_THAT(MustEncode(*tokenizer, "Hello, world!"), ElementsAre(22557, 28725, 1526, 28808));
  for (const std::string text :
       {"Hello, world!", "\u049A\u0430\u0437\u0430\u049B\u0448\u0430", "\u4F60\u597D\n\t x",
        "\U0001F600\U0001FAE8 \u1C89", "two  spaces"}) {
    EXPECT_EQ(tokenizer->Decode(MustEncode(*tokenizer, text), /*skip_special=*/true), text);
  }
}

TEST(EmbeddedBaseTest, EveryTextComesBack) {
  const fs::path base = Source() / "domains" / "bases" / "mozgach" / "tiny";
  SKIP_WITHOUT(base / "tokenizer.json");
  const auto tokenizer = LoadBase(base);
  ASSERT_NE(tokenizer, nullptr);
  ASSERT_TRUE(tokenizer->EosId().has_value());
  EXPECT_TRUE(tokenizer->IsSpecial(*tokenizer->EosId()));
  for (const std::string text : {"date: 4 March 2031\n", "\u049B\u0430\u0437\u0430\u049B",
                                 "\U0001F600", "  a\tb\r\n", "<|im_start|>x"}) {
    const std::vector<int32_t> ids = MustEncode(*tokenizer, text, SpecialTokens::kAsText);
    EXPECT_EQ(tokenizer->Decode(ids, /*skip_special=*/false), text);
  }
}

}  // namespace
}  // namespace mozgach
