#include "scheduler/state/incarnation.h"

#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;

absl::StatusOr<uint64_t> Incarnation(Database& database) {
  Query row(database, sql::kIncarnation);
  if (row.Next()) return static_cast<uint64_t>(row.Int(0));
  RETURN_IF_ERROR(row.status());
  return absl::DataLossError(database.path() + " does not say which incarnation it is");
}

}  // namespace mozgach
