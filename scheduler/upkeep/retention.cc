#include "scheduler/upkeep/retention.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/size_text.h"
#include "scheduler/jobs/event_log.h"
#include "scheduler/placement/base_dispatch.h"
#include "scheduler/upkeep/file_collector.h"
#include "scheduler/upkeep/row_collector.h"

namespace mozgach {
namespace {

absl::Status CollectVersions(RowCollector& rows, const Retention::Turn& turn,
                             std::stop_token stop) {
  for (std::string after;;) {
    std::vector<std::string> domains;
    RETURN_IF_ERROR(turn([&](Database& database) -> absl::Status {
      ASSIGN_OR_RETURN(domains, rows.SomeDomains(database, after));
      return absl::OkStatus();
    }));
    for (const std::string& domain : domains) {
      for (bool more = true; more && !stop.stop_requested();) {
        RETURN_IF_ERROR(turn([&](Database& database) -> absl::Status {
          ASSIGN_OR_RETURN(more, rows.RemoveVersions(database, domain));
          return absl::OkStatus();
        }));
      }
    }
    if (domains.empty() || stop.stop_requested()) return absl::OkStatus();
    after = domains.back();
  }
}

// `step(database, after)` says where to go on; 0: it is done.
template <typename Step>
absl::Status UntilDone(const Retention::Turn& turn, std::stop_token stop, Step step) {
  int64_t after = 0;
  do {
    RETURN_IF_ERROR(turn([&](Database& database) -> absl::Status {
      ASSIGN_OR_RETURN(after, step(database, after));
      return absl::OkStatus();
    }));
  } while (after != 0 && !stop.stop_requested());
  return absl::OkStatus();
}

absl::Status CollectRows(RowCollector& rows, const Retention::Turn& turn, std::stop_token stop) {
  RETURN_IF_ERROR(CollectVersions(rows, turn, stop));
  RETURN_IF_ERROR(UntilDone(turn, stop, [&](Database& database, int64_t after) {
    return rows.RemoveJobs(database, after);
  }));
  return UntilDone(turn, stop, [&](Database& database, int64_t after) {
    return rows.RemoveEvents(database, after);
  });
}

std::string Show(const Collection& collection) {
  std::string text;
  for (const Collection::Total& total : collection.totals) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", total.count, " ", total.kind,
                    total.count == 1 ? "" : "s",
                    total.bytes > 0 ? absl::StrCat(" (", FormatSize(total.bytes), ")") : "");
  }
  return text;
}

}  // namespace

void Collection::Add(Garbage item, int64_t count) {
  const auto same = [&](const Total& total) { return total.kind == item.kind; };
  auto total = std::find_if(totals.begin(), totals.end(), same);
  if (total == totals.end()) total = totals.insert(totals.end(), Total{.kind = item.kind});
  total->count += count;
  total->bytes += item.bytes;
  if (garbage.size() < kListedMax) garbage.push_back(std::move(item));
}

absl::StatusOr<Collection> Retention::Collect(const Turn& turn, WallTime now,
                                              const std::string& actor, std::stop_token stop) {
  Collection collection;
  RowCollector rows(rules_, now, collection);
  FileCollector files(rules_, now, data_, false, collection);
  RETURN_IF_ERROR(CollectRows(rows, turn, stop));
  RETURN_IF_ERROR(files.RemoveDirectories(versions_, turn));
  RETURN_IF_ERROR(files.RemoveLogs(turn, stop));
  RETURN_IF_ERROR(files.RemoveBlobs(blobs_, turn, stop));
  if (collection.totals.empty()) return collection;
  RETURN_IF_ERROR(turn([&](Database& database) {
    return EventLog(database).Append(
        {.time = now, .kind = "garbage_collected", .actor = actor, .message = Show(collection)});
  }));
  return collection;
}

absl::StatusOr<Collection> Retention::Preview(Database& source, WallTime now) {
  ASSIGN_OR_RETURN(const auto copy, Database::Open(""));
  RETURN_IF_ERROR(copy->CopyFrom(source));
  const Turn turn = [&](const Step& step) { return step(*copy); };
  Collection collection;
  RowCollector rows(rules_, now, collection);
  FileCollector files(rules_, now, data_, true, collection);
  RETURN_IF_ERROR(CollectRows(rows, turn, {}));
  RETURN_IF_ERROR(files.RemoveLogs(turn, {}));
  RETURN_IF_ERROR(files.RemoveBlobs(blobs_, turn, {}));
  return collection;
}

}  // namespace mozgach
