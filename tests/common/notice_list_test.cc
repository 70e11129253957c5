#include "common/notice_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;

TEST(NoticeListTest, KeepsEachSentenceOnce) {
  NoticeList notices;
  notices.Add("one row");
  notices.Add("");
  notices.AddAll({"two files", "one row"});
  EXPECT_THAT(notices.sentences(), ElementsAre("one row", "two files"));
}

TEST(NoticeListTest, AbbreviatesALongSentence) {
  NoticeList notices;
  notices.Add(std::string(5000, 'x'));
  EXPECT_LE(notices.sentences()[0].size(), NoticeList::kMaxBytes);
}

TEST(NoticeListTest, CountsWhatItLeavesOut) {
  NoticeList notices;
  for (int i = 0; i < 40; ++i) notices.Add(absl::StrCat("notice ", i));
  ASSERT_EQ(notices.sentences().size(), NoticeList::kMaxNotices);
  EXPECT_EQ(notices.sentences()[30], "notice 30");
  EXPECT_EQ(notices.sentences()[31], "… and 9 more notices");
}

}  // namespace
}  // namespace mozgach
