// Brings datasets, and the files of bases, to the scheduler, by digest, going on where an
// interrupted upload stopped.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ctl/client/connection.h"
#include "ctl/local/submission.h"

namespace mozgach {

// Uploads what the scheduler lacks of `files`.  `sent` is told the bytes of each piece that went. A
// connection that breaks is taken up again, a few times.  FAILED_PRECONDITION when a file is no
// longer what was checked.
absl::Status UploadDatasets(Connection& connection, const std::vector<DatasetFile>& files,
                            const std::function<void(uint64_t)>& sent);

}  // namespace mozgach
