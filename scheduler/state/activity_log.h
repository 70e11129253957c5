// What the scheduler did for others, as lines of its log: "KIND key=value …", one line each, at
// level info.  To be called after the commit.  Texts from outside are quoted where they are not
// plain words; control characters are escaped (LogActivity).
//
//   submitted by=ann@executor new=3 changed=1 unchanged=2 jobs=17-20 domains=law,tax,… (6)
//   claimed job=17 domain=law attempt=1 worker=alpha device=cuda:0
//   published job=17 domain=law attempt=1 version=v0003
//   requeued job=17 domain=law attempt=1 worker=alpha class=out_of_memory reason="…"
//   failed job=17 domain=law attempt=3 worker=alpha class=data reason="…"
//   lease_lost job=17 domain=law attempt=1 worker=alpha then=requeued reason="…"
#pragma once

#include <string>

#include "mozgach/v1/job_service.pb.h"
#include "registry/version.h"
#include "scheduler/jobs/failure.h"
#include "scheduler/jobs/job.h"
#include "scheduler/jobs/lease.h"

namespace mozgach {

// A request of any number of domains is one line.
std::string SubmitLine(const v1::SubmitResponse& response, const std::string& actor);
std::string ClaimLine(const Lease& lease, const std::string& domain);
std::string PublishLine(const Version& version);
// `job` as it is after the attempt.
std::string EndLine(const Lease& lease, const Job& job, FailureClass failure,
                    const std::string& message);

}  // namespace mozgach
