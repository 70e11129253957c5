#include "scheduler/jobs/event_log.h"

#include <algorithm>

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

absl::StatusOr<std::vector<Event>> EventLog::List(const Selection& selection) {
  return selection.after == 0 ? Newest(selection) : After(selection);
}

absl::StatusOr<std::vector<Event>> EventLog::Newest(const Selection& selection) {
  std::vector<Event> events;
  if (selection.job == 0) {
    Query rows(database_, sql::kNewestEvents, selection.domain, selection.limit);
    ASSIGN_OR_RETURN(events, EventsFrom(rows));
  } else {
    Query rows(database_, sql::kNewestEventsOfJob, selection.job, selection.limit);
    ASSIGN_OR_RETURN(events, EventsFrom(rows));
  }
  std::reverse(events.begin(), events.end());
  return events;
}

absl::StatusOr<std::vector<Event>> EventLog::After(const Selection& selection) {
  if (selection.job == 0) {
    Query rows(database_, sql::kEventsAfter, selection.after, selection.domain, selection.limit);
    return EventsFrom(rows);
  }
  Query rows(database_, sql::kEventsOfJobAfter, selection.after, selection.job, selection.limit);
  return EventsFrom(rows);
}

}  // namespace mozgach
