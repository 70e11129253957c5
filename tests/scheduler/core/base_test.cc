// Bases that the scheduler holds: how they come, and who is given jobs that want them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/digest.h"
#include "proto/base_manifest.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kRoom = 1 << 20;

class BaseTest : public Fleet {
 protected:
  v1::BaseManifest Manifest(const std::string& name, const std::string& weights = "weights") {
    v1::BaseManifest manifest;
    manifest.set_base(name);
    for (const auto& [path, bytes] : {std::pair<std::string, std::string>{"config.json", "{}"},
                                      {"model.safetensors", weights}}) {
      v1::File& file = *manifest.add_files();
      file.set_path(path);
      file.set_sha256(Sha256Hex(bytes));
      file.set_size(bytes.size());
    }
    Seal(manifest);
    return manifest;
  }
  absl::StatusOr<v1::AddBaseResponse> TryAdd(const v1::BaseManifest& manifest,
                                             bool replace = false) {
    v1::AddBaseRequest request;
    *request.mutable_base() = manifest;
    request.set_replace(replace);
    request.set_actor("tester@here");
    return core_->AddBase(now_, request);
  }
  // With its blobs.
  v1::BaseManifest Add(const std::string& name, const std::string& weights = "weights") {
    PutBlob("{}");
    PutBlob(weights);
    const v1::BaseManifest manifest = Manifest(name, weights);
    const auto added = TryAdd(manifest);
    EXPECT_TRUE(added.ok()) << added.status();
    EXPECT_THAT(added->missing_blobs(), IsEmpty());
    return manifest;
  }
  // A worker without bases, whose disk has room.
  TestWorker Bare(const std::string& name, uint64_t room = kRoom) {
    TestWorker worker(name, {});
    worker.request.set_base_room_bytes(room);
    return worker;
  }
  void Fetches(TestWorker& worker, const v1::BaseManifest& manifest, uint64_t received) {
    worker.request.clear_base_fetches();
    v1::BaseFetch& fetch = *worker.request.add_base_fetches();
    fetch.set_base(manifest.base());
    fetch.set_digest(manifest.digest());
    fetch.set_received_bytes(received);
    fetch.set_size_bytes(manifest.size_bytes());
  }
  v1::FleetBase Listed(const std::string& name) {
    const v1::ListBasesResponse listed = core_->ListBases(now_);
    for (const v1::FleetBase& base : listed.bases()) {
      if (base.base() == name) return base;
    }
    return v1::FleetBase();
  }
};

TEST_F(BaseTest, MissingBlobsAreNamedAndNothingIsHeldBefore) {
  const v1::BaseManifest manifest = Manifest(kQwen);
  PutBlob("{}");
  const auto first = TryAdd(manifest);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->missing_blobs(), ElementsAre(Sha256Hex("weights")));
  EXPECT_EQ(Listed(kQwen).held(), false);
  PutBlob("weights");
  EXPECT_EQ(TryAdd(manifest)->outcome(), "new");
  EXPECT_EQ(Listed(kQwen).size_bytes(), 9u);
  EXPECT_EQ(Listed(kQwen).digest(), manifest.digest());
  EXPECT_EQ(TryAdd(manifest)->outcome(), "unchanged");
}

TEST_F(BaseTest, AnotherBaseOfTheNameIsHeldOnlyWhenToldTo) {
  Add(kQwen);
  PutBlob("others");
  const auto refused = TryAdd(Manifest(kQwen, "others"));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("--replace"));
  EXPECT_EQ(TryAdd(Manifest(kQwen, "others"), true)->outcome(), "replaced");
  EXPECT_EQ(Listed(kQwen).digest(), Manifest(kQwen, "others").digest());
}

TEST_F(BaseTest, ManifestsThatLeadElsewhereAreRefused) {
  v1::BaseManifest manifest = Manifest(kQwen);
  manifest.mutable_files(0)->set_path("../../etc/passwd");
  Seal(manifest);
  EXPECT_EQ(TryAdd(manifest).status().code(), absl::StatusCode::kInvalidArgument);
  v1::BaseManifest lies = Manifest(kQwen);
  PutBlob("{}");
  PutBlob("weights");
  lies.mutable_files(1)->set_size(8);
  Seal(lies);
  EXPECT_EQ(TryAdd(lies).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(BaseTest, BasesAndTheirBlobsOutliveARestartAndTheSweep) {
  const v1::BaseManifest manifest = Add(kQwen);
  Restart();
  EXPECT_EQ(Listed(kQwen).digest(), manifest.digest());
  EXPECT_TRUE(state().bases.Needs(Sha256Hex("weights")));
  EXPECT_FALSE(state().bases.Needs(Sha256Hex("others")));
  EXPECT_EQ(state().bases.Find(kQwen)->manifest.SerializeAsString(), manifest.SerializeAsString());
}

TEST_F(BaseTest, WorkerWithRoomIsGivenTheJobAndWhatItsBaseConsistsOf) {
  const v1::BaseManifest manifest = Add(kQwen);
  const int64_t job = SubmitOne("law", kQwen);
  TestWorker bare = Bare("bare");
  const v1::Assignment assignment = Claim(bare);
  EXPECT_EQ(assignment.job(), job);
  EXPECT_EQ(assignment.base().digest(), manifest.digest());
  EXPECT_EQ(assignment.base().files_size(), 2);
}

TEST_F(BaseTest, WorkerWithoutRoomOrOfAnOlderVersionIsNotGivenTheJob) {
  const v1::BaseManifest manifest = Add(kQwen);
  const int64_t job = SubmitOne("law", kQwen);
  TestWorker full = Bare("full", manifest.size_bytes() - 1), old("old", {});
  EXPECT_EQ(Claim(full).job(), 0);
  EXPECT_EQ(Claim(old).job(), 0);
  EXPECT_THAT(Get(job).reason(), HasSubstr("none that answers has 9 B of room"));
  EXPECT_THAT(Explain(job).lines(0), HasSubstr("its disk has room for 8 B below its --data"));
}

TEST_F(BaseTest, WorkerThatHasTheBaseAndWaitsComesBeforeOneThatWouldFetchIt) {
  Add(kQwen);
  TestWorker has("has", {kQwen}), bare = Bare("bare");
  has.Says(1);
  Call(has);
  const int64_t first = SubmitOne("first", kQwen);
  EXPECT_EQ(Claim(bare).job(), 0) << "the other one waits for work";
  const v1::Assignment assignment = Claim(has);
  EXPECT_EQ(assignment.job(), first);
  has.Reports(assignment);
  Call(has);
  const int64_t second = SubmitOne("second", kQwen);
  EXPECT_EQ(Claim(bare).job(), second) << "now it is busy";
}

TEST_F(BaseTest, WorkerThatHasTheBaseButIsLostDoesNotKeepOthersFromFetchingIt) {
  Add(kQwen);
  TestWorker has("has", {kQwen}), bare = Bare("bare");
  has.Says(1);
  Call(has);
  Pass(config_.lease + Milliseconds(1));
  const int64_t job = SubmitOne("law", kQwen);
  EXPECT_EQ(Claim(bare).job(), job);
}

TEST_F(BaseTest, JobWhoseBaseIsHereComesBeforeAnOlderOneWhoseBaseIsNot) {
  Add(kQwen);
  SubmitOne("older", kQwen);
  const int64_t newer = SubmitOne("newer", kTiny);
  const int64_t urgent = SubmitOne("urgent", kQwen, 90);
  TestWorker worker("alpha", {kTiny});
  worker.request.set_base_room_bytes(kRoom);
  const v1::Assignment first = Claim(worker);
  EXPECT_EQ(first.job(), urgent) << "priority comes before what is here";
  worker.Reports(first);
  EXPECT_EQ(Claim(worker).job(), newer);
}

TEST_F(BaseTest, RevisionsThatAreHeldServeJobsThatAskForThem) {
  v1::BaseManifest manifest = Manifest(kQwen);
  manifest.add_revisions("main");
  PutBlob("{}");
  PutBlob("weights");
  ASSERT_TRUE(TryAdd(manifest).ok());
  EXPECT_NE(state().bases.Serving("Qwen/Qwen2.5-3B@main"), nullptr);
  EXPECT_NE(state().bases.Serving(kQwen), nullptr);
  EXPECT_EQ(state().bases.Serving("Qwen/Qwen2.5-3B@v2"), nullptr);
  manifest.clear_revisions();
  manifest.add_revisions("v2");
  EXPECT_EQ(TryAdd(manifest)->outcome(), "unchanged");
  EXPECT_NE(state().bases.Serving("Qwen/Qwen2.5-3B@v2"), nullptr) << "known by it as well now";
  EXPECT_NE(state().bases.Serving("Qwen/Qwen2.5-3B@main"), nullptr);
}

TEST_F(BaseTest, ExplanationSaysHowABaseCouldComeAndHowFarItIs) {
  TestWorker bare = Bare("bare"), other = Bare("other");
  Call(bare);
  Call(other);
  const int64_t job = SubmitOne("law", kQwen);
  EXPECT_THAT(Get(job).reason(), HasSubstr("`mozgachctl bases add DIR --name Qwen/Qwen2.5-3B`"));
  const v1::BaseManifest manifest = Add(kQwen);
  EXPECT_THAT(Get(job).reason(), HasSubstr("the first of the 2 with room for it"));
  bare.Reports(Claim(bare), v1::AttemptReport::PREPARING);
  Fetches(bare, manifest, 4);
  Call(bare);
  EXPECT_THAT(Explain(job).summary(),
              HasSubstr("its base comes first: worker bare is fetching it (4 of 9 bytes)"));
  const int64_t next = SubmitOne("tax", kQwen);
  EXPECT_THAT(Explain(next).summary(), HasSubstr("worker bare is fetching it (4 of 9 bytes)"));
  EXPECT_THAT(Explain(next).lines(0), HasSubstr("is fetching base Qwen/Qwen2.5-3B (4 of 9 bytes)"));
  EXPECT_THAT(Listed(kQwen).fetching(), ElementsAre("bare"));
}

TEST_F(BaseTest, BaseThatCannotBeUsedIsSaidSoAndNotOffered) {
  TestWorker worker("alpha", {kQwen});
  worker.request.mutable_bases(0)->set_problem("config.json is a link to /etc/x, outside /bases");
  const int64_t job = SubmitOne("law", kQwen);
  EXPECT_EQ(Claim(worker).job(), 0);
  EXPECT_THAT(Explain(job).lines(0),
              HasSubstr("cannot use its base Qwen/Qwen2.5-3B: config.json is"));
  const v1::Worker shown = core_->ListWorkers(now_).workers(0);
  EXPECT_THAT(shown.bases(), IsEmpty());
  EXPECT_THAT(shown.base_details(0).problem(), HasSubstr("a link to /etc/x"));
}

TEST_F(BaseTest, WorkersShowWhatTheyHaveAndWhatIsLoaded) {
  const v1::BaseManifest manifest = Add(kQwen);
  TestWorker worker("alpha", {kTiny, kQwen});
  worker.request.mutable_bases(1)->set_digest(manifest.digest());
  worker.request.mutable_bases(1)->set_size_bytes(9);
  worker.request.set_base_bytes_fetched(9);
  worker.LoadsBase(kQwen);
  Call(worker);
  const v1::Worker shown = core_->ListWorkers(now_).workers(0);
  EXPECT_THAT(shown.bases(), ElementsAre(kTiny, kQwen));
  EXPECT_FALSE(shown.base_details(0).loaded() || shown.base_details(0).fetched());
  EXPECT_TRUE(shown.base_details(1).loaded() && shown.base_details(1).fetched());
  EXPECT_EQ(shown.base_details(1).size_bytes(), 9u);
  EXPECT_THAT(Listed(kQwen).workers(), ElementsAre("alpha"));
  EXPECT_THAT(Listed(kQwen).loaded(), ElementsAre("alpha"));
  EXPECT_FALSE(Listed(kTiny).held());
  EXPECT_THAT(Listed(kTiny).workers(), ElementsAre("alpha"));
  EXPECT_EQ(state().worker_table.base_bytes_fetched_total(), 9u);
  Restart();
  EXPECT_EQ(state().worker_table.Find("alpha")->bases[1].digest(), manifest.digest());
}

TEST_F(BaseTest, SubmitSaysThatTheBaseIsFetchedFirst) {
  EXPECT_THAT(TrySubmit({Domain("law", kQwen)}, true)->outcomes(0).note(),
              Not(HasSubstr("fetches it")));
  Add(kQwen);
  EXPECT_THAT(TrySubmit({Domain("law", kQwen)}, true)->outcomes(0).note(), HasSubstr("fetches it"));
}

}  // namespace
}  // namespace mozgach
