// StagedSubmissions are submissions of many domains that are written in parts, so that other calls
// are answered in between, and that are still taken whole or not at all:
//
//   Begin, Add…, Accept   write the request; until it is accepted, a restart drops it
//   QueueNextPart…        queues the domains of one part; a restart queues those that are left
//
// Rows, and the accepted ones in memory.  While there are rows, no blob is collected.  One thread
// at a time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/status.h"
#include "mozgach/v1/job_service.pb.h"
#include "registry/database.h"
#include "scheduler/jobs/checked_submission.h"

namespace mozgach {

struct StagedSubmission {
  std::string actor;
  std::vector<CheckedSubmission> checked;
  std::vector<size_t> part_ends;  // indices into checked
  size_t next_part = 0;           // the first that is not queued
  v1::SubmitResponse response;    // outcomes of the parts that are queued
  bool abandoned = false;         // nobody waits for the response

  bool IsQueued() const { return next_part == part_ends.size(); }
  // True if a part that is not queued yet contains one of `domains`.
  bool Names(const std::set<std::string>& domains) const;
};

class StagedSubmissions {
 public:
  explicit StagedSubmissions(Database& database) : database_(database) {}

  // Drops what was not accepted; reads what was, as abandoned.
  absl::Status Recover();

  // Each in a transaction of its own.
  absl::StatusOr<int64_t> Begin(const std::string& actor);
  absl::Status Add(int64_t submission, size_t part, const v1::SubmitRequest& request);
  // From here on the submission is queued, whatever happens.
  absl::Status Accept(int64_t submission, StagedSubmission staged);
  // Removes the rows of one that was not accepted.
  absl::Status Drop(int64_t submission);

  // Null: it was not accepted.  Valid until it is forgotten.
  StagedSubmission* Find(int64_t submission);
  // The first accepted one that still has to queue one of `domains`; 0: none.
  int64_t FirstThatNames(const std::set<std::string>& domains) const;
  // The first that is not queued and that nobody waits for; 0: none.
  int64_t FirstAbandoned() const;
  // Joins the open transaction: the rows of the next part are removed, with the last also the
  // submission's.
  absl::Status RemoveNextPart(int64_t submission);
  void Forget(int64_t submission) { accepted_.erase(submission); }

 private:
  absl::StatusOr<StagedSubmission> Read(int64_t submission);

  Database& database_;
  std::map<int64_t, StagedSubmission> accepted_;
};

// Where parts end: each holds about as much work as fits in a few hundredths of a second.
std::vector<size_t> PartEnds(absl::Span<const CheckedSubmission> submissions);

}  // namespace mozgach
