// A Fleet is a real core on an in-memory database with workers that are only the calls they make,
// and time that the test moves by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "scheduler/core/core.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {

inline constexpr char kTiny[] = "mozgach/tiny";
inline constexpr char kQwen[] = "Qwen/Qwen2.5-3B";

// What one worker says.  Changed by the test between calls.
struct TestWorker {
  explicit TestWorker(const std::string& name, const std::vector<std::string>& bases = {kTiny},
                      const std::string& incarnation = "first");

  v1::AttemptReport& Reports(int64_t job, int64_t attempt,
                             v1::AttemptReport::Phase phase = v1::AttemptReport::TRAINING);
  v1::AttemptReport& Reports(const v1::Assignment& assignment,
                             v1::AttemptReport::Phase phase = v1::AttemptReport::TRAINING) {
    return Reports(assignment.job(), assignment.attempt(), phase);
  }
  void Fails(const v1::Assignment& assignment, v1::Failure::Class failure,
             const std::string& message);
  void Says(uint32_t free_slots) { request.set_free_slots(free_slots); }
  void LoadsBase(const std::string& base) { request.mutable_devices(0)->set_loaded_base(base); }
  void Forgets() { request.clear_attempts(); }

  v1::SynchronizeRequest request;
};

class Fleet : public ::testing::Test {
 protected:
  Fleet();

  // A new core on the same database and files, as after a crash.
  void Restart();
  void Pass(Milliseconds time);

  std::string PutBlob(const std::string& bytes);
  // A valid submission whose dataset has been uploaded.
  v1::Submission Domain(const std::string& name, const std::string& base = kTiny,
                        int64_t priority = 50, const std::string& rows = "rows");
  absl::StatusOr<v1::SubmitResponse> TrySubmit(const std::vector<v1::Submission>& domains,
                                               bool dry_run = false);
  v1::SubmitResponse Submit(const std::vector<v1::Submission>& domains);
  // One new domain; returns its job.
  int64_t SubmitOne(const std::string& name, const std::string& base = kTiny,
                    int64_t priority = 50);

  absl::StatusOr<Answer> TryCall(const TestWorker& worker);
  v1::SynchronizeResponse Call(const TestWorker& worker);
  // Calls with a free slot; the only assignment that comes back.  job 0: none.
  v1::Assignment Claim(TestWorker& worker);
  // A result of two files, whose blobs are uploaded.
  v1::Result Result(const std::string& bytes = "tensors", const std::string& base = kTiny);
  // Claims, reports FINISHED; expects PUBLISHED.
  void RunOne(TestWorker& worker);

  v1::Job Get(int64_t job);
  std::string State(int64_t job) { return Get(job).state(); }
  v1::ExplainResponse Explain(int64_t job);
  void Cancel(int64_t job);
  std::vector<Version> Versions();
  SchedulerState& state() { return core_->state(); }
  std::filesystem::path RegistryRoot() const { return directory_.path() / "registry"; }

  TemporaryDirectory directory_;
  SchedulerConfig config_;
  Now now_{FromMillis(1'700'000'000'000), Milliseconds(1'000'000)};
  std::unique_ptr<Database> database_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<AdapterStore> adapters_;
  std::unique_ptr<Core> core_;
};

// The assignment of `job` in an answer; null: it is not named.
const v1::Assignment* Named(const v1::SynchronizeResponse& response, int64_t job);

}  // namespace mozgach
