// Whole copies of the scheduler's database, and what can be said of one.
#pragma once

#include <filesystem>
#include <memory>

#include "registry/database.h"

namespace mozgach {

// Makes `target`, which is not there, hold what `source` holds at this moment: one file, synced,
// with nothing beside it.  DATA_LOSS: the copy is damaged, and so is the source.
absl::Status CopyDatabase(Database& source, const std::filesystem::path& target);

// OK when every page and every index is sound.  DATA_LOSS names what is not.
absl::Status CheckIntegrity(Database& database);

// As CheckIntegrity, without comparing indexes with their tables: a few seconds for each GiB.
absl::Status CheckQuickly(Database& database);

// A transaction that writes a page as it is: OK where others can be written.
absl::Status WriteNothingNew(Database& database);

// `user_version`.  FAILED_PRECONDITION: this program does not know it, as it is newer, or there is
// no schema at all.
absl::StatusOr<int64_t> KnownSchemaOf(Database& database);

// A copy of today's schema, which goes when it is closed; `source` is left as it is.
// FAILED_PRECONDITION as KnownSchemaOf.
absl::StatusOr<std::unique_ptr<Database>> UpgradedCopy(Database& source);

}  // namespace mozgach
