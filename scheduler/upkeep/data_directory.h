// Decides whether a scheduler may start on a data directory. It does not start if it would begin a
// new queue beside the files of a lost one, or change a backup.
#pragma once

#include <filesystem>
#include <string>

#include "common/status.h"

namespace mozgach {

// FAILED_PRECONDITION: `data` is a backup.
absl::Status CheckNoBackup(const std::filesystem::path& data);

// FAILED_PRECONDITION: a restore into `data` was cut.
absl::Status CheckNotRestoring(const std::filesystem::path& data);

// FAILED_PRECONDITION: IsDatabaseGone, and versions or logs of its jobs lie in `data`.
absl::Status CheckDatabaseNotLost(const std::filesystem::path& data);

// Warns when a new database begins beside datasets, which an earlier one may have needed.
void WarnOfDatasetsWithoutDatabase(const std::filesystem::path& data);

// Where a database was damaged or lost, with what the scheduler must be stopped for.
std::string HowDatabaseComesBack(const std::filesystem::path& data);

// A file that is written now and then to see whether files can be written.
inline constexpr char kWriteProbeName[] = ".write-probe";

// Something of that name, be it a link that leads nowhere.
bool Exists(const std::filesystem::path& path);

// True if the database does not exist or is empty.
bool IsDatabaseGone(const std::filesystem::path& data);

}  // namespace mozgach
