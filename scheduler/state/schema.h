// The schema of the scheduler's database: the numbered steps of scheduler/sql/NNNN_*.sql, embedded.
#pragma once

#include <vector>

#include "registry/migration.h"

namespace mozgach {

const std::vector<Migration>& Schema();

}  // namespace mozgach
