// The TrainerService is `mozgach-trainer serve`: requests in on one stream, events out on another
// (docs/trainer_protocol.md). The base stays loaded from job to job; everything else is freed
// after each, and what is then resident is reported.
#pragma once

#include <filesystem>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <vector>

#include "common/status.h"
#include "trainer/serve/data_ahead.h"
#include "trainer/serve/event_writer.h"
#include "trainer/serve/heartbeat.h"
#include "trainer/serve/inbox.h"
#include "trainer/train/base.h"

namespace mozgach {

class TrainerService {
 public:
  // Streams are borrowed. `threads` is what a job uses unless it has its own pinned; links of a
  // base may lead below `base_folders`.
  TrainerService(std::istream& in, std::ostream& out, int64_t threads,
                 std::vector<std::filesystem::path> base_folders);

  // Serves until `exit` or the end of the input; a job in progress is left with a checkpoint then.
  // Whatever goes wrong with a job is told as an event and the next one runs.
  void Run();

 private:
  void ReadRequests();  // the reader's thread
  void Accept(const Request& request);
  void Add(Inbox::Work work);

  void Do(const LoadRequest& request);
  void Do(const TrainRequest& request);
  absl::Status Train(const TrainRequest& request, nlohmann::json* done);
  // Makes `base_` the one that is asked for, as its files are now. True when it had to be loaded,
  // which is reported.
  absl::StatusOr<bool> UseBase(const std::string& name, const std::filesystem::path& dir,
                               const QuantizationSpec& quantization, const PinnedChoices& pinned,
                               const std::filesystem::path& cache_dir);
  void ReportAhead(const AttemptId& id, const DataReport& report, double seconds);
  void ReportReady();
  // Waits until there is something to do, and says meanwhile what a GPU has left: nobody else can.
  void Idle();
  // `reason` says why a base that lay in memory was loaded again; empty: it did not lie there.
  void ReportBase(const std::string& name, double seconds, const std::string& reason = "");

  std::istream& in_;
  EventWriter events_;
  Inbox inbox_;
  int64_t threads_;
  std::vector<std::filesystem::path> base_folders_;
  std::unique_ptr<Base> base_;
  int64_t base_loads_ = 0;
  DataAhead ahead_;
  Heartbeat heartbeat_;
};

}  // namespace mozgach
