// Restoration makes a database that was copied from a backup fit to go on with.
//
// Since the backup was made, attempts may have been leased and jobs submitted that it does not
// know, under numbers that will now be given again.  The database therefore begins a new
// incarnation, a number that is greater than every one before.  A worker says with its reports
// which incarnation leased them; those of another one change nothing but a counter.
#pragma once

#include "common/clock.h"
#include "registry/adapter_store.h"
#include "registry/database.h"
#include "scheduler/jobs/attempt_log.h"

namespace mozgach {

// All in one transaction: a new incarnation, every leased attempt lost, its job queued again (or
// cancelled where that was asked for).  To be called once, before a Core is made from the database.
absl::Status Restore(Database& database, WallTime now);

// Jobs that are submitted from here on get numbers above every one whose logs or versions lie on
// the disk, whatever the rows say: they would take another job's files for their own.  To be called
// before AdapterStore::Recover; a second time it changes nothing.
absl::Status UseUpJobNumbers(Database& database, AdapterStore& adapters, const AttemptLogs& logs);

// Sets aside the logs of attempts that known jobs have no row for: their numbers are given again.
absl::Status SetForgottenLogsAside(Database& database, const AttemptLogs& logs);

}  // namespace mozgach
