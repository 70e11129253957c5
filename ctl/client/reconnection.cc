#include "ctl/client/reconnection.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ctl/local/terminal.h"

namespace mozgach {
namespace {

constexpr Milliseconds kFirstPause{200};
constexpr Milliseconds kLongestPause{2000};
constexpr Milliseconds kPauseStep{100};
// A handshake may also fail because the scheduler stops during it, so a few failures are retried.
constexpr int kHandshakesMax = 3;

bool IsBrokenTransport(const std::string& message) {
  for (const char* sign : {"RST_STREAM", "Stream removed", "GOAWAY", "Connection reset",
                           "Socket closed", "Broken pipe"}) {
    if (absl::StrContains(message, sign)) return true;
  }
  return false;
}

// Returns true if the scheduler is down or is shutting down, false if it refused the call.
bool IsAway(const grpc::Status& status, bool answered_before) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:  // a server that shuts down cancels its calls
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return true;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:  // all callers reconnect at the same time
      return answered_before;
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return IsBrokenTransport(status.error_message());
    default:
      return false;
  }
}

bool IsRefusedHandshake(const grpc::Status& status) {
  return absl::StrContains(absl::AsciiStrToLower(status.error_message()), "handshake failed") &&
         !IsBrokenTransport(status.error_message());
}

std::string Seconds(Milliseconds time) { return absl::StrCat(time.count() / 1000, " s"); }

// Returns a short reason for gRPC's error messages.
std::string ReasonOf(const grpc::Status& status) {
  const std::string& message = status.error_message();
  if (absl::StrContains(message, "Connection refused")) return "connection refused";
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return "no answer in time";
  if (status.error_code() == grpc::StatusCode::CANCELLED) return "it is shutting down";
  if (absl::StrContains(message, "shutting down")) return "it is shutting down";
  if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) return message;
  return "the connection is lost";
}

}  // namespace

std::string Reconnection::Answered() {
  answered_ = true;
  refused_handshakes_ = 0;
  pause_ = Milliseconds(0);
  if (!away_since_.has_value()) return "";
  const auto away = std::chrono::duration_cast<Milliseconds>(SteadyClock::now() - *away_since_);
  away_since_.reset();
  ++outages_;
  return absl::StrCat("the scheduler at ", connection_.address(), " is back after ", Seconds(away));
}

absl::Status Reconnection::Failed(const grpc::Status& status) {
  if (!IsAway(status, answered_)) return connection_.Explain(status);
  refused_handshakes_ = IsRefusedHandshake(status) ? refused_handshakes_ + 1 : 0;
  if (refused_handshakes_ >= kHandshakesMax) return connection_.NoAnswer(Milliseconds(0));
  const auto now = SteadyClock::now();
  if (!away_since_.has_value()) away_since_ = now;
  if (now - *away_since_ >= timeout_) return connection_.NoAnswer(timeout_);
  why_ = ReasonOf(status);
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  return absl::OkStatus();
}

void Reconnection::Pause(const std::function<bool()>& stopped) const {
  auto end = SteadyClock::now() + pause_;
  bool connected = connection_.IsConnected();
  while (SteadyClock::now() < end && !stopped()) {
    if (connected) {
      std::this_thread::sleep_for(kPauseStep);
    } else if (connection_.AwaitConnection(kPauseStep)) {
      connected = true;
      // Keeps a pause. Otherwise a server that accepts and closes each connection would be called
      // continuously.
      end = std::min(end, SteadyClock::now() + kFirstPause);
    }
  }
}

std::string Reconnection::Waiting() const {
  if (!away_since_.has_value()) return "";
  const auto away = std::chrono::duration_cast<Milliseconds>(SteadyClock::now() - *away_since_);
  return absl::StrCat("the scheduler at ", connection_.address(), " does not answer (", why_,
                      "); trying again for ", Seconds(std::max(Milliseconds(0), timeout_ - away)));
}

void OutageLine::Away(const std::string& waiting) {
  const Terminal terminal = TerminalOf(stderr);
  if (terminal.is_terminal) {
    std::fprintf(stderr, "\r%s\x1b[K", Clip(waiting, terminal.width - 1).c_str());
  } else if (!shown_) {
    std::fprintf(stderr, "%s\n", Clip(waiting, 0).c_str());
  }
  shown_ = true;
}

void OutageLine::Back(const std::string& sentence) {
  const Terminal terminal = TerminalOf(stderr);
  std::fprintf(stderr, "%s%s\n", terminal.is_terminal ? "\r\x1b[K" : "", Clip(sentence, 0).c_str());
  shown_ = false;
}

void PatientCaller::Answered() {
  if (const std::string back = reconnection_.Answered(); !back.empty()) line_.Back(back);
}

absl::Status PatientCaller::Await(const grpc::Status& status) {
  RETURN_IF_ERROR(reconnection_.Failed(status));
  line_.Away(reconnection_.Waiting());
  reconnection_.Pause([] { return false; });
  return absl::OkStatus();
}

}  // namespace mozgach
