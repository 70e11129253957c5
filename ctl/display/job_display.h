// A JobDisplay shows changing jobs: on a terminal as a table that is redrawn in place, elsewhere as
// one line per change, and for programs as one JSON object per change.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ctl/client/reconnection.h"
#include "ctl/local/terminal.h"
#include "mozgach/v1/job_service.pb.h"

namespace mozgach {

class JobDisplay {
 public:
  virtual ~JobDisplay() = default;
  // Shows `jobs`, all followed jobs. `changed` are those that changed since the last call.
  virtual void Show(const std::vector<v1::Job>& jobs, const std::vector<v1::Job>& changed) = 0;
  // Shows that the scheduler does not answer. Called repeatedly with a new sentence.
  virtual void Away(const std::string& waiting) { outage_.Away(waiting); }
  // Shows that the scheduler answers again.
  virtual void Back(const std::string& sentence) { outage_.Back(sentence); }
  // Removes a redrawn table at the end.
  virtual void Clear() {}

  // Returns the display for `stream`: a table for a terminal, otherwise lines.
  static std::unique_ptr<JobDisplay> For(std::FILE* stream);
  static std::unique_ptr<JobDisplay> Json(std::FILE* stream);

 private:
  OutageLine outage_;
};

// Returns the lines of a redrawn table: the summary, at most `terminal.height` - 2 lines of the
// table, and the number of omitted jobs.
std::vector<std::string> LiveLines(const std::vector<v1::Job>& jobs, const Terminal& terminal);

// Decides which changes are printed: a new state, phase or worker, and every quarter of the steps.
// Plain value.
class ChangeFilter {
 public:
  bool IsNews(const v1::Job& job);

 private:
  std::map<int64_t, std::string> last_;
};

}  // namespace mozgach
