// Bases in the session: used where they lie, fetched where they do not.
#include "tests/worker/session/session_fixture.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kBig[] = "Qwen/Qwen2.5-3B";

class SessionBasesTest : public SessionFixture {
 protected:
  SessionBasesTest() {
    Answer({});
    TrainerUp();
  }

  static v1::BaseManifest Manifest(const std::string& name) {
    v1::BaseManifest manifest;
    manifest.set_base(name);
    manifest.set_digest("digest of " + name);
    manifest.set_size_bytes(100);
    return manifest;
  }
  // An assignment of a job that wants `base`, which the scheduler holds.
  static v1::Assignment Held(int64_t job, const std::string& base) {
    v1::Assignment assignment = Whole(job);
    assignment.set_spec_json("{\"base\": \"" + base + "\"}");
    *assignment.mutable_base() = Manifest(base);
    return assignment;
  }
  static v1::BaseFetch Fetch(uint64_t received) {
    v1::BaseFetch fetch;
    fetch.set_base(kBig);
    fetch.set_received_bytes(received);
    fetch.set_size_bytes(100);
    return fetch;
  }
};

TEST_F(SessionBasesTest, BaseThatLiesBelowBasesIsUsedAsItIs) {
  Answer({Held(7, "mozgach/tiny")});
  EXPECT_FALSE(Take<FetchBase>().has_value());
  EXPECT_TRUE(Take<FetchDatasets>().has_value());
}

TEST_F(SessionBasesTest, JobStartsWhenItsDataAndItsBaseAreHere) {
  Answer({Held(7, kBig)});
  const auto fetch = Take<FetchBase>();
  ASSERT_TRUE(fetch.has_value());
  EXPECT_EQ(fetch->base.digest(), Manifest(kBig).digest());
  session_->DatasetsFetched({7, 1}, DatasetPaths{.train = {"/d"}});
  Poll();
  EXPECT_FALSE(Take<SendTraining>().has_value()) << "its base is not here yet";
  EXPECT_THAT(session_->BasesInUse(), ElementsAre(kBig));
  session_->BaseFetched({7, 1}, std::string("/bases/big"));
  Poll();
  const auto training = Take<SendTraining>();
  ASSERT_TRUE(training.has_value());
  EXPECT_EQ(training->base_dir, "/bases/big");
}

TEST_F(SessionBasesTest, BaseThatIsHereFirstWaitsForTheData) {
  Answer({Held(7, kBig)});
  session_->BaseFetched({7, 1}, std::string("/bases/big"));
  Poll();
  EXPECT_FALSE(Take<SendTraining>().has_value());
  session_->DatasetsFetched({7, 1}, DatasetPaths{.train = {"/d"}});
  Poll();
  EXPECT_TRUE(Take<SendTraining>().has_value());
}

TEST_F(SessionBasesTest, ProgressOfAFetchIsReportedUntilItEnds) {
  Answer({Held(7, kBig)});
  session_->BaseDisk(5000, 30);
  session_->BaseProgress({7, 1}, Fetch(30));
  Poll();
  Settle({Named(7)});
  session_->BaseProgress({7, 1}, Fetch(60));
  Pass(Milliseconds(1'000));
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value());
  ASSERT_EQ(call->request.base_fetches_size(), 1);
  EXPECT_EQ(call->request.base_fetches(0).received_bytes(), 60u);
  EXPECT_EQ(call->request.base_room_bytes(), 5000u);
  EXPECT_EQ(call->request.base_bytes_fetched(), 30u);
  EXPECT_EQ(Reported(*call, 7)->phase(), v1::AttemptReport::PREPARING);
  session_->BaseFetched({7, 1}, std::string("/bases/big"));
  session_->DatasetsFetched({7, 1}, DatasetPaths{.train = {"/d"}});
  Poll();
  Settle({Named(7)});
  Pass(Milliseconds(1'000));
  EXPECT_EQ(TakeCall()->request.base_fetches_size(), 0);
}

TEST_F(SessionBasesTest, FetchThatFailsGivesTheJobBackWithTheReason) {
  Answer({Held(7, kBig)});
  session_->BaseFetched({7, 1}, absl::ResourceExhaustedError("no room for the base"));
  Poll();
  EXPECT_EQ(attempt(7).state, AttemptState::kFailed);
  EXPECT_EQ(attempt(7).failure.class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_THAT(attempt(7).failure.message(), HasSubstr("no room"));
  EXPECT_TRUE(Take<AbortTransfers>().has_value()) << "its data is of no use either";
}

TEST_F(SessionBasesTest, AttemptThatIsDroppedStopsItsFetch) {
  Answer({Held(7, kBig)});
  session_->BaseProgress({7, 1}, Fetch(30));
  Poll();
  Settle({});
  EXPECT_TRUE(Take<AbortTransfers>().has_value());
  session_->BaseFetched({7, 1}, std::string("/bases/big"));
  Poll();
  EXPECT_FALSE(Take<SendTraining>().has_value());
  EXPECT_TRUE(session_->BasesInUse().empty());
}

TEST_F(SessionBasesTest, BaseThatWasFetchedEarlierServesAloneWhenTheSchedulerHoldsItNoMore) {
  FoundBases bases = TinyBase();
  bases.AddFetched({.name = kBig, .plain = "/bases/big", .digest = "d"});
  session_->BasesFound(bases);
  v1::Assignment assignment = Held(7, kBig);
  assignment.clear_base();
  Answer({assignment});
  EXPECT_FALSE(Take<FetchBase>().has_value());
  EXPECT_EQ(attempt(7).base_dir, "/bases/big");
}

TEST_F(SessionBasesTest, FetchedBaseIsLookedAtAgainBeforeItIsUsed) {
  FoundBases bases = TinyBase();
  bases.AddFetched({.name = kBig, .plain = "/bases/big", .digest = "d"});
  session_->BasesFound(bases);
  Answer({Held(7, kBig)});
  EXPECT_TRUE(Take<FetchBase>().has_value());
}

TEST_F(SessionBasesTest, ManifestOfAnotherBaseIsNotFetched) {
  v1::Assignment assignment = Held(7, kBig);
  assignment.mutable_base()->set_base("mozgach/tiny");
  Answer({assignment});
  EXPECT_FALSE(Take<FetchBase>().has_value());
  EXPECT_EQ(attempt(7).state, AttemptState::kFailed);
}

}  // namespace
}  // namespace mozgach
