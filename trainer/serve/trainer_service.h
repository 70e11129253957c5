// The TrainerService implements `mozgach-trainer serve`: it reads requests from one stream and
// writes events to another (docs/trainer_protocol.md). The base stays loaded between jobs.
// Everything else is freed after each job, and the memory then in use is reported.
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
  // The streams must outlive this. `threads` is the number of threads of a job that has none
  // pinned. Links in a base may point into `base_folders`.
  TrainerService(std::istream& in, std::ostream& out, int64_t threads,
                 std::vector<std::filesystem::path> base_folders);

  // Serves until `exit` or the end of the input; a job in progress then stops with a checkpoint.
  // Errors of a job are reported as an event, and the next job runs.
  void Run();

 private:
  void ReadRequests();  // runs on the reader's thread
  void Accept(const Request& request);
  void Add(Inbox::Work work);

  void Do(const LoadRequest& request);
  void Do(const TrainRequest& request);
  absl::Status Train(const TrainRequest& request, nlohmann::json* done);
  // Makes `base_` the requested base, with the current content of its files. Returns true if it had
  // to be loaded, which is reported.
  absl::StatusOr<bool> UseBase(const std::string& name, const std::filesystem::path& dir,
                               const QuantizationSpec& quantization, const PinnedChoices& pinned,
                               const std::filesystem::path& cache_dir);
  void ReportAhead(const AttemptId& id, const DataReport& report, double seconds);
  void ReportReady();
  // Waits for work. Meanwhile reports the free memory of a GPU, which the worker cannot measure
  // itself.
  void Idle();
  // `reason`: why a base in memory was loaded again; empty: it was not in memory.
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
