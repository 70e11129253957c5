// The EventLog says what happened, when, and who did it: rows that are only appended.
//
// Appends join the open transaction, so that an event is there exactly when what it tells is.
// One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/clock.h"
#include "registry/database.h"

namespace mozgach {

struct Event {
  int64_t event = 0;
  WallTime time{};
  int64_t job = 0;  // 0: of no job
  std::string domain;
  int64_t attempt = 0;
  std::string kind;   // submitted, claimed, published, …
  std::string actor;  // user@host, a worker's name, or "scheduler"
  std::string message;
};

class EventLog {
 public:
  explicit EventLog(Database& database) : database_(database) {}

  // `event.event` is ignored.
  absl::Status Append(const Event& event);

  struct Selection {
    int64_t job = 0;     // 0: of all
    std::string domain;  // where job is 0; empty: of all
    int64_t after = 0;   // those with a larger number, from there on; 0: the newest there are
    int64_t limit = 0;
  };
  // At most `limit`, oldest first.
  absl::StatusOr<std::vector<Event>> List(const Selection& selection);

 private:
  absl::StatusOr<std::vector<Event>> Newest(const Selection& selection);
  absl::StatusOr<std::vector<Event>> After(const Selection& selection);

  Database& database_;
};

}  // namespace mozgach
