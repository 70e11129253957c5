#include "worker/session/log_words.h"

#include <gtest/gtest.h>

namespace mozgach {
namespace {

TEST(EvalLossInTest, IsTheAdaptersWhereItIsANumber) {
  EXPECT_EQ(EvalLossIn(R"({"base": {"eval_loss": 4.5}, "adapter": {"eval_loss": 0.5}})"), 0.5);
  for (const char* text :
       {"", "[]", "{}", R"({"base": {"eval_loss": 4.5}})", R"({"adapter": {"eval_loss": null}})",
        R"({"adapter": {"eval_loss": "x"}})"}) {
    EXPECT_EQ(EvalLossIn(text), std::nullopt) << text;
  }
}

TEST(LogWordsTest, DataIsToldInASentence) {
  EXPECT_EQ(DataInWords(R"({"rows": 36, "dropped": 0, "truncated": 1, "tokens": 5120,
                            "trained_tokens": 1024})"),
            "36 rows (0 dropped, 1 truncated), 5120 tokens, of which 1024 are trained");
  for (const char* text : {"", "[1]", "{\"rows\"", "{}"}) EXPECT_EQ(DataInWords(text), "") << text;
  EXPECT_EQ(DataInWords(R"({"rows": "many"})"),
            "0 rows (0 dropped, 0 truncated), 0 tokens, of which 0 are trained");
}

TEST(LogWordsTest, ScoresAreToldWithTheBareBasesWhereItIsKnown) {
  EXPECT_EQ(MetricsInWords(R"({"adapter": {"eval_loss": 0.031274}})"), "eval_loss 0.03127");
  EXPECT_EQ(MetricsInWords(R"({"base": {"eval_loss": 4.9123, "exact_match": null},
                               "adapter": {"eval_loss": 0.031274, "exact_match": 1}})"),
            "eval_loss 4.912 → 0.03127, exact_match - → 1");
  EXPECT_EQ(MetricsInWords("no json"), "");
}

TEST(LogWordsTest, BytesHaveAUnit) {
  EXPECT_EQ(BytesInWords(999), "999 B");
  EXPECT_EQ(BytesInWords(151'576'576), "151.6 MB");
}

}  // namespace
}  // namespace mozgach
