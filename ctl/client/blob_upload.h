// Uploads datasets and files of bases to the scheduler by digest. Resumes interrupted uploads.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ctl/client/connection.h"
#include "ctl/local/submission.h"

namespace mozgach {

// Uploads those of `files` that the scheduler does not have. Calls `sent` with the number of bytes
// of each piece sent. Retries a few times if the connection breaks. FAILED_PRECONDITION if a file
// has changed since it was checked.
absl::Status UploadDatasets(Connection& connection, const std::vector<DatasetFile>& files,
                            const std::function<void(uint64_t)>& sent);

}  // namespace mozgach
