// What `mozgachctl doctor` sees from where it sits: clocks, programs, certificates, workers.
#pragma once

#include <filesystem>
#include <vector>

#include "common/clock.h"
#include "mozgach/v1/job_service.pb.h"
#include "mozgach/v1/upkeep_service.pb.h"

namespace mozgach {

// The scheduler's clock against ours, `now`.
std::vector<v1::Finding> CheckClocks(const v1::CheckConsistencyResponse& scheduler, WallTime now);

// Workers that do not call, that are of another version, or have bases that cannot be used.
std::vector<v1::Finding> CheckWorkers(const v1::CheckConsistencyResponse& scheduler,
                                      const v1::ListWorkersResponse& workers);

// The certificate in a folder of --tls, which may end soon; nothing where there is none.
std::vector<v1::Finding> CheckCertificate(const std::filesystem::path& tls, WallTime now);

}  // namespace mozgach
