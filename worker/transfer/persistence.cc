#include "worker/transfer/persistence.h"

#include <random>

#include "common/interruptible_sleep.h"
#include "common/log.h"
#include "worker/session/back_off.h"

namespace mozgach {
namespace {

constexpr int kTriesAgainstDamage = 5;

enum class Outlook { kTemporary, kDoubtful, kFinal };

Outlook OutlookOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:        // a stream that was cut
    case absl::StatusCode::kUnauthenticated:  // until somebody renews the certificate
      return Outlook::kTemporary;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kOutOfRange:  // we disagree on what has arrived: ask again
      return Outlook::kDoubtful;
    default:
      return Outlook::kFinal;
  }
}

}  // namespace

absl::Status Persist(std::stop_token stop, std::string_view what,
                     const std::function<absl::Status()>& transfer) {
  BackOff back_off(Milliseconds(250), Milliseconds(10'000), std::random_device{}());
  for (int doubtful = 0;;) {
    const absl::Status status = transfer();
    if (stop.stop_requested()) return absl::CancelledError(std::string(what) + ": given up");
    if (status.ok()) return status;
    const Outlook outlook = OutlookOf(status);
    if (outlook == Outlook::kFinal) return Annotate(status, what);
    if (outlook == Outlook::kDoubtful && ++doubtful >= kTriesAgainstDamage) {
      return Annotate(status, what);
    }
    if (back_off.failures() == 0) {
      spdlog::warn("{}: {}; trying again", what, std::string(status.message()));
    }
    SleepUnlessStopped(stop, back_off.Next());
  }
}

}  // namespace mozgach
