// A JobDisplay shows jobs while they change: a table redrawn in place on a terminal, a line per
// change elsewhere, a JSON object per change for programs.
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
  // `jobs` are all that are followed, `changed` those that are news.
  virtual void Show(const std::vector<v1::Job>& jobs, const std::vector<v1::Job>& changed) = 0;
  // The scheduler does not answer; called again with a new sentence while that lasts.
  virtual void Away(const std::string& waiting) { outage_.Away(waiting); }
  // It answers again.
  virtual void Back(const std::string& sentence) { outage_.Back(sentence); }
  // Nothing more follows: a table that was redrawn is taken away.
  virtual void Clear() {}

  // The one that suits `stream`.
  static std::unique_ptr<JobDisplay> For(std::FILE* stream);
  static std::unique_ptr<JobDisplay> Json(std::FILE* stream);

 private:
  OutageLine outage_;
};

// What a redrawn table shows: the sum, then at most `terminal.height` - 2 lines of the table, then
// how many are left out.
std::vector<std::string> LiveLines(const std::vector<v1::Job>& jobs, const Terminal& terminal);

// Decides which changes are worth a line: another state, phase or worker, and every quarter of the
// steps.  Plain value.
class ChangeFilter {
 public:
  bool IsNews(const v1::Job& job);

 private:
  std::map<int64_t, std::string> last_;
};

}  // namespace mozgach
