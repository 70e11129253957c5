// The ChangeFeed numbers the changes of jobs, so that a watcher can ask what is new since it last
// looked.  Kept in memory: numbers start again with the scheduler.  One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace mozgach {

class ChangeFeed {
 public:
  // `kept` changes are remembered.
  explicit ChangeFeed(size_t kept = 100000) : kept_(kept) {}

  void Touch(int64_t job);

  // The number of the latest change.
  int64_t latest() const { return latest_; }

  // The jobs that have changed since `since`, each once, in the order of their latest changes.
  // Empty optional: too long ago, look at everything.
  std::optional<std::vector<int64_t>> Since(int64_t since) const;

 private:
  const size_t kept_;
  int64_t latest_ = 0;
  int64_t forgotten_ = 0;  // changes up to this one may be missing
  std::map<int64_t, int64_t> job_by_change_;
  std::unordered_map<int64_t, int64_t> change_by_job_;
};

}  // namespace mozgach
