// A Migration is one numbered step of the database's schema; steps only go forward.
#pragma once

#include <vector>

#include "registry/database.h"

namespace mozgach {

struct Migration {
  int number;  // 1, 2, 3…: `user_version` once it has been applied
  const char* name;
  const char* sql;
};

// Applies those that are still missing, each in a transaction of its own.  FAILED_PRECONDITION when
// the file was written by a newer program, which is left untouched.
absl::Status Migrate(Database& database, const std::vector<Migration>& migrations);

}  // namespace mozgach
