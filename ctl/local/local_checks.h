// The checks that `mozgachctl doctor` makes on its own host: clocks, versions, certificates,
// workers.
#pragma once

#include <filesystem>
#include <vector>

#include "common/clock.h"
#include "mozgach/v1/job_service.pb.h"
#include "mozgach/v1/upkeep_service.pb.h"

namespace mozgach {

// Compares the scheduler's clock with ours, `now`.
std::vector<v1::Finding> CheckClocks(const v1::CheckConsistencyResponse& scheduler, WallTime now);

// Reports workers that do not call, have another version, or have unusable bases.
std::vector<v1::Finding> CheckWorkers(const v1::CheckConsistencyResponse& scheduler,
                                      const v1::ListWorkersResponse& workers);

// Reports a certificate in the --tls folder that expires soon. Empty if the folder has no
// certificate.
std::vector<v1::Finding> CheckCertificate(const std::filesystem::path& tls, WallTime now);

}  // namespace mozgach
