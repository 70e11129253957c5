#include "common/nearest_name.h"

#include "gtest/gtest.h"

namespace mozgach {
namespace {

TEST(EditDistanceTest, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("rate", "rate"), 0);
  EXPECT_EQ(EditDistance("lerning", "learning"), 1);
  EXPECT_EQ(EditDistance("optmi", "optim"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(NearestNameTest, FindsWhatWasMeantAndNothingFarFetched) {
  const std::vector<std::string> names = {"learning_rate", "max_steps", "seed", "r"};
  EXPECT_EQ(NearestName("lerning_rate", names), "learning_rate");
  EXPECT_EQ(NearestName("LEARNING_RATE", names), "learning_rate");
  EXPECT_EQ(NearestName("sede", names), "seed");
  EXPECT_EQ(NearestName("banana", names), "");
  EXPECT_EQ(NearestName("", names), "");
  EXPECT_EQ(NearestName(std::string(100000, 'x'), names), "");
}

}  // namespace
}  // namespace mozgach
