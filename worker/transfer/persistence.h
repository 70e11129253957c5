// Persistence: doing a transfer until it works, is given up, or cannot work.
#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

#include "common/status.h"

namespace mozgach {

// Calls `transfer` until it returns OK or an error that another try will not mend.  A scheduler
// that does not answer (UNAVAILABLE and its like) is waited for without end, with back-off; a disk
// of its that is full (RESOURCE_EXHAUSTED), or bytes that arrive damaged (DATA_LOSS), a few times.
// CANCELLED once `stop` is requested.  `what` stands before the message of what is returned.
absl::Status Persist(std::stop_token stop, std::string_view what,
                     const std::function<absl::Status()>& transfer);

}  // namespace mozgach
