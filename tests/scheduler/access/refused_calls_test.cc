#include "scheduler/access/refused_calls.h"

#include <gtest/gtest.h>

namespace mozgach {
namespace {

TEST(RefusedCallsTest, CountsByReasonAndRoleAndLogsFewLines) {
  RefusedCalls refused;
  const absl::Status denied = absl::PermissionDeniedError("a viewer may not");
  for (int i = 0; i < 100'000; ++i) refused.Count(denied, "viewer", "vera", Milliseconds(i / 100));
  refused.Count(absl::UnauthenticatedError("who?"), "none", "", Milliseconds(5));
  refused.Count(absl::OkStatus(), "viewer", "vera", Milliseconds(6));
  refused.CountHost("evil.example", Milliseconds(7));
  EXPECT_EQ(refused.counts(),
            (std::map<RefusedCalls::Key, int64_t>{{{"permission", "viewer"}, 100'000},
                                                  {{"unauthenticated", "none"}, 1},
                                                  {{"host", "none"}, 1}}));
  EXPECT_EQ(refused.lines(), 3);
  refused.Count(denied, "viewer", "vera", Milliseconds(10'001));
  EXPECT_EQ(refused.lines(), 4);
}

}  // namespace
}  // namespace mozgach
