#include "ctl/local/local_checks.h"

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "security/certificate.h"

namespace mozgach {
namespace {

constexpr auto kSkew = std::chrono::seconds(60);
constexpr auto kRenewBefore = std::chrono::hours(24 * 30);
constexpr uint64_t kCertificateBytesMax = 1 << 20;

v1::Finding Found(const char* weight, std::string where, std::string what, std::string advice) {
  v1::Finding finding;
  finding.set_weight(weight);
  finding.set_where(std::move(where));
  finding.set_what(std::move(what));
  finding.set_advice(std::move(advice));
  return finding;
}

}  // namespace

std::vector<v1::Finding> CheckClocks(const v1::CheckConsistencyResponse& scheduler, WallTime now) {
  const absl::StatusOr<WallTime> theirs = ParseTime(scheduler.time());
  if (!theirs.ok()) return {};
  const auto apart = *theirs > now ? *theirs - now : now - *theirs;
  if (apart <= kSkew) return {};
  return {Found("problem", "the clock of this host",
                absl::StrCat("is ", *theirs > now ? "behind" : "ahead of", " the scheduler's by ",
                             std::chrono::duration_cast<std::chrono::seconds>(apart).count(), " s"),
                "set the one that is wrong (is NTP on?): tokens and certificates end by it")};
}

std::vector<v1::Finding> CheckWorkers(const v1::CheckConsistencyResponse& scheduler,
                                      const v1::ListWorkersResponse& workers) {
  std::vector<v1::Finding> findings;
  for (const v1::Worker& worker : workers.workers()) {
    const std::string where = absl::StrCat("worker ", worker.worker());
    if (worker.state() == "awaited") continue;  // the scheduler has just started
    if (worker.state() == "lost") {
      findings.push_back(Found("note", where,
                               absl::StrCat("has not called since ", worker.last_call_at()),
                               "if it should be there: is mozgach-worker running on its host, and "
                               "does it reach the scheduler?"));
      continue;
    }
    if (worker.devices().empty()) {
      findings.push_back(
          Found("problem", where, "calls, and has no device: none of its trainers starts",
                "its log says why; on its host, `mozgach-trainer devices` lists what "
                "--devices may name"));
    }
    if (worker.version() != scheduler.version()) {
      findings.push_back(Found("note", where,
                               absl::StrCat("is of version ", worker.version(),
                                            ", the scheduler of ", scheduler.version()),
                               "install the same version on both"));
    }
    for (const v1::WorkerBase& base : worker.base_details()) {
      if (base.problem().empty()) continue;
      findings.push_back(Found("problem", absl::StrCat(where, ", base ", base.base()),
                               absl::StrCat("cannot be used: ", base.problem()),
                               "mend it there, or remove it and let the worker fetch it: "
                               "mozgachctl bases add DIR"));
    }
  }
  return findings;
}

std::vector<v1::Finding> CheckCertificate(const std::filesystem::path& tls, WallTime now) {
  if (tls.empty()) return {};
  const std::filesystem::path path = tls / "certificate.pem";
  const auto pem = ReadFile(path, kCertificateBytesMax);
  if (!pem.ok()) return {};
  const auto facts = ReadCertificate(*pem);
  if (!facts.ok() || facts->not_after > now + kRenewBefore) return {};
  return {Found("problem", path.string(), absl::StrCat("ends at ", FormatTime(facts->not_after)),
                "make another: mozgachctl fleet user NAME --replace (docs/security.md)")};
}

}  // namespace mozgach
