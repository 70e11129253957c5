// What has to hold whenever the scheduler has started.
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "registry/query.h"
#include "tests/invariants/version_directory.h"
#include "tests/power/fleet_life.h"
#include "tests/power/power_disk.h"

namespace mozgach::power {
namespace {

constexpr char kIntegrity[] = "PRAGMA integrity_check";
constexpr char kClaim[] = "SELECT count(*) FROM attempts WHERE job = ?1 AND attempt = ?2";
constexpr char kSuccess[] =
    "SELECT count(*) FROM jobs WHERE job = ?1 AND attempt = ?2 AND state = 'succeeded'";
constexpr char kPlace[] = "SELECT domain, number FROM versions WHERE job = ?1";
constexpr char kNamed[] = "SELECT number FROM aliases WHERE domain = ?1 AND alias = 'champion'";

}  // namespace

void FleetLife::Look() {
  Query integrity(*database_, kIntegrity);
  while (integrity.Next()) {
    if (integrity.Text(0) != "ok") Fail("integrity_check: " + integrity.Text(0));
  }
  if (!integrity.status().ok() && !PowerDisk::Get().off()) {
    Fail(std::string(integrity.status().message()));
  }
  LookAtAcknowledged();
  for (const std::string& problem : invariants_.Check(*database_)) Fail(problem);
}

void FleetLife::LookAtAcknowledged() {
  LookAtCheckpoints();
  for (const std::string& sha256 : datasets_) {
    const auto path = blobs_->Path(sha256);
    const auto found = Sha256OfFile(*path);
    if (!found.ok() || *found != sha256) {
      Fail(absl::StrCat("a dataset that was accepted is ",
                        found.ok() ? *found : std::string(found.status().message())));
    }
  }
  for (const auto& [job, attempt] : claims_) {
    if (Count(kClaim, job, attempt) != 1) {
      Fail(absl::StrCat("attempt ", job, "-", attempt, " was given out and is lost"));
    }
  }
  for (const auto& [job, attempt] : published_) {
    if (Count(kSuccess, job, attempt) != 1) {
      Fail(absl::StrCat("attempt ", job, "-", attempt, " was published and is not any more"));
    }
    Query place(*database_, kPlace, job);
    if (!place.Next()) continue;
    VersionDirectory found;
    for (const std::string& problem :
         LookAt(adapters_->files().Directory(place.Text(0), place.Int(1)), &found)) {
      Fail(absl::StrCat("the version of job ", job, ": ", problem));
    }
  }
  for (const auto& [domain, numbers] : may_be_named_) {
    Query row(*database_, kNamed, domain);
    if (!row.Next() || numbers.count(row.Int(0)) == 0) {
      Fail(absl::StrCat("the alias of ", domain, " was set and is lost"));
    }
  }
}

// A row names only what is here: the blobs of the one before go after it is on disk.
void FleetLife::LookAtCheckpoints() {
  for (const int64_t job : OpenJobs()) {
    const auto checkpoint = core_->state().checkpoints.Find(job);
    if (!checkpoint.ok()) return;
    for (const v1::File& file : checkpoint->files()) {
      const auto stat = blobs_->Find(file.sha256());
      if (!stat.ok()) return;  // the power is off
      if (!stat->complete) {
        Fail(absl::StrCat("the checkpoint of job ", job, " lacks its ", file.path()));
      }
    }
  }
}

}  // namespace mozgach::power
