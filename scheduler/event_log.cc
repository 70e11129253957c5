#include "scheduler/event_log.h"

#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

absl::StatusOr<std::vector<Event>> EventsFrom(Query& rows) {
  std::vector<Event> events;
  while (rows.Next()) {
    events.push_back({.event = rows.Int(0),
                      .time = FromMillis(rows.Int(1)),
                      .job = rows.Int(2),
                      .domain = rows.Text(3),
                      .attempt = rows.Int(4),
                      .kind = rows.Text(5),
                      .actor = rows.Text(6),
                      .message = rows.Text(7)});
  }
  RETURN_IF_ERROR(rows.status());
  return events;
}

}  // namespace

absl::Status EventLog::Append(const Event& event) {
  return Run(database_, sql::kInsertEvent, ToMillis(event.time), event.job, event.domain,
             event.attempt, event.kind, event.actor, event.message);
}

absl::StatusOr<std::vector<Event>> EventLog::List(int64_t job, int64_t after, int64_t limit) {
  if (job == 0) {
    Query rows(database_, sql::kEventsAfter, after, limit);
    return EventsFrom(rows);
  }
  Query rows(database_, sql::kEventsOfJob, job, after, limit);
  return EventsFrom(rows);
}

}  // namespace mozgach
