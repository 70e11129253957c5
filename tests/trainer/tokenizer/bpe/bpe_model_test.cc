#include "trainer/tokenizer/bpe/bpe_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <thread>

#include "tests/trainer/tokenizer/tiny_tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The tokens of `text`: "[ab][c]".
std::string Cut(const Tokenizer& tokenizer, const std::string& text) {
  std::string cut;
  for (const int32_t id : MustEncode(tokenizer, text)) {
    cut.append("[").append(tokenizer.TokenText(id)).append("]");
  }
  return cut;
}

TEST(BpeModelTest, TheMergeOfLowestRankGoesFirstAndTheLeftmostOfTwo) {
  const auto tokenizer = MustLoad(ByteLevelFile({{"b", "c"}, {"a", "b"}, {"bc", "d"}, {"a", "a"}}));
  EXPECT_EQ(Cut(*tokenizer, "abcd"), "[a][bcd]");
  EXPECT_EQ(Cut(*tokenizer, "abd"), "[ab][d]");
  EXPECT_EQ(Cut(*tokenizer, "aaa"), "[aa][a]");
}

TEST(BpeModelTest, APairListedTwiceHasItsLastRank) {
  const auto tokenizer = MustLoad(CharacterFile({"a", "b"}, {{"a", "b"}, {"b", "a"}, {"a", "b"}}));
  EXPECT_EQ(Cut(*tokenizer, "aba"), "[a][ba]");
}

TEST(BpeModelTest, MergesMayBeWrittenAsStrings) {
  json file = CharacterFile({"a", "b"}, {{"a", "b"}});
  file["model"]["merges"] = json::array({"a b"});
  EXPECT_EQ(Cut(*MustLoad(file), "ab"), "[ab]");
}

// Forty letters are merged by scanning. Three such words side by side are one word, merged by the
// heap; nothing joins over the z between them.
TEST(BpeModelTest, LongWordsGiveWhatShortOnesGive) {
  MergePairs merges;
  std::mt19937 random(108);
  std::vector<std::string> known = {"a", "b", "c"};
  while (merges.size() < 60) {
    const std::string left = known[random() % known.size()];
    const std::string right = known[random() % known.size()];
    if (left.size() + right.size() > 12) continue;
    merges.push_back({left, right});
    known.push_back(left + right);
  }
  const auto tokenizer = MustLoad(ByteLevelFile(merges));
  // A merge over the z that never happens keeps the long word in one piece.
  merges.push_back({"z", "z"});
  merges.push_back({"a", "zz"});
  merges.push_back({"zz", "b"});
  const auto uncut = MustLoad(ByteLevelFile(merges));
  for (int round = 0; round < 200; ++round) {
    std::string word;
    for (int i = 0; i < 40; ++i) word += static_cast<char>('a' + random() % 3);
    const std::string other(word.rbegin(), word.rend());
    const std::string expected =
        Cut(*tokenizer, word) + "[z]" + Cut(*tokenizer, other) + "[z]" + Cut(*tokenizer, word);
    EXPECT_EQ(Cut(*tokenizer, word + "z" + other + "z" + word), expected);
    EXPECT_EQ(Cut(*uncut, word + "z" + other + "z" + word), expected);
  }
}

TEST(BpeModelTest, AWordOfAMegabyteIsDoneAtOnce) {
  MergePairs merges;
  for (std::string run = "a"; run.size() < 64; run += run) merges.push_back({run, run});
  const auto tokenizer = MustLoad(ByteLevelFile(merges));
  const std::vector<int32_t> ids = MustEncode(*tokenizer, std::string(1 << 20, 'a'));
  EXPECT_EQ(ids.size(), (1u << 20) / 64);
}

double ProcessorSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Sixteen times the letters: quadratic work would take 256 times as long.
TEST(BpeModelTest, TimeGrowsWithTheLengthOfAWordAndNotWithItsSquare) {
  MergePairs merges;
  for (char left = 'a'; left <= 'p'; ++left) {
    for (char right = 'a'; right <= 'p'; ++right) {
      merges.push_back({std::string(1, left), std::string(1, right)});
      merges.push_back({merges.back().first + merges.back().second, std::string(1, left)});
    }
  }
  const auto tokenizer = MustLoad(ByteLevelFile(merges));
  std::mt19937 random(108);
  std::string word;
  for (int i = 0; i < 1 << 20; ++i) word += static_cast<char>('a' + random() % 16);
  const auto seconds_for = [&](size_t bytes) {
    const double begun = ProcessorSeconds();
    MustEncode(*tokenizer, word.substr(0, bytes));
    return ProcessorSeconds() - begun;
  };
  seconds_for(1 << 16);  // the room to work in is there now
  EXPECT_LT(seconds_for(1 << 20), 64 * std::max(seconds_for(1 << 16), 1e-3));
}

TEST(BpeModelTest, IgnoreMergesTakesAWordThatIsAToken) {
  json file = ByteLevelFile({{"a", "b"}, {"b", "c"}});
  file["model"]["vocab"]["abc"] = 400;
  EXPECT_EQ(Cut(*MustLoad(file), "abc"), "[ab][c]");
  file["model"]["ignore_merges"] = true;
  EXPECT_EQ(Cut(*MustLoad(file), "abc"), "[abc]");
  EXPECT_EQ(Cut(*MustLoad(file), "abcx"), "[ab][c][x]");
}

TEST(BpeModelTest, CharactersWithoutATokenAreLeftOutOrUnknownOrBytes) {
  json file = CharacterFile({"a", "<unk>"}, {});
  EXPECT_EQ(Cut(*MustLoad(file), "xa\u00E9a"), "[a][a]");
  file["model"]["unk_token"] = "<unk>";
  EXPECT_EQ(Cut(*MustLoad(file), "xya\u00E9"), "[<unk>][<unk>][a][<unk>]");
  file["model"]["fuse_unk"] = true;
  EXPECT_EQ(Cut(*MustLoad(file), "xya\u00E9"), "[<unk>][a][<unk>]");
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    snprintf(text, sizeof(text), "<0x%02X>", byte);
    file["model"]["vocab"][text] = 10 + byte;
  }
  file["model"]["byte_fallback"] = true;
  EXPECT_EQ(Cut(*MustLoad(file), "xa\u00E9"), "[<0x78>][a][<0xC3>][<0xA9>]");
}

TEST(BpeModelTest, WhatItDoesNotHaveIsNamed) {
  const auto error = [](const std::string& key, const json& value) {
    json file = CharacterFile({"a"}, {});
    file["model"][key] = value;
    return std::string(LoadFile(file).status().message());
  };
  EXPECT_THAT(error("type", "Unigram"), HasSubstr("model.type: 'Unigram' is not supported"));
  EXPECT_THAT(error("dropout", 0.1), HasSubstr("model.dropout: '0.1' is not supported"));
  EXPECT_THAT(error("end_of_word_suffix", "</w>"), HasSubstr("model.end_of_word_suffix: '</w>'"));
  EXPECT_THAT(error("continuing_subword_prefix", "##"), HasSubstr("'##' is not supported"));
  EXPECT_THAT(error("unk_token", "<u>"), HasSubstr("model.unk_token: '<u>' is not in model.vocab"));
  EXPECT_THAT(error("byte_fallback", true), HasSubstr("'<0xFF>' is not in model.vocab"));
  EXPECT_THAT(error("end_of_word_suffix", ""), IsEmpty());
  EXPECT_THAT(error("dropout", 0.0), IsEmpty());
}

TEST(BpeModelTest, ManyThreadsEncodeAtOnce) {
  const auto tokenizer = MustLoad(ByteLevelFile({{"a", "b"}, {"ab", "c"}}));
  const std::vector<int32_t> expected = MustEncode(*tokenizer, "abcab cab abc");
  std::vector<std::thread> threads;
  std::vector<int> same(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 500; ++k) same[i] += MustEncode(*tokenizer, "abcab cab abc") == expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(same, Each(500));
}

}  // namespace
}  // namespace mozgach
