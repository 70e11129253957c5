// Reconnects commands that follow something (watch, logs -f, events -f, submit --wait) after a
// restart, upgrade or crash of the scheduler, or after a network failure.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "ctl/client/connection.h"

namespace mozgach {

// Decides whether a failed call is repeated. Not thread-safe.
class Reconnection {
 public:
  // The command ends when the scheduler is away for longer than `timeout`.
  Reconnection(const Connection& connection, Milliseconds timeout)
      : connection_(connection), timeout_(timeout) {}

  // Records that the scheduler has answered. Returns a sentence for the user if it was away before.
  std::string Answered();

  // Records that a call has ended with `status`. OK: repeat the call after Pause(). Otherwise
  // returns the error that ends the command: the scheduler refused the call, one side refused the
  // other's certificate, or the scheduler was away for longer than the timeout.
  absl::Status Failed(const grpc::Status& status);

  // Pauses between two calls and reconnects meanwhile. Takes 0.2 s to 2 s, less if the connection
  // is restored earlier. Returns soon after `stopped` returns true.
  void Pause(const std::function<bool()>& stopped) const;
  // Returns "the scheduler at … does not answer (…); trying again for …" while it is away,
  // otherwise an empty string.
  std::string Waiting() const;
  // Number of times the scheduler has come back.
  int outages() const { return outages_; }

 private:
  using SteadyClock = std::chrono::steady_clock;

  const Connection& connection_;
  const Milliseconds timeout_;
  std::optional<SteadyClock::time_point> away_since_;
  std::string why_;
  Milliseconds pause_{0};
  int refused_handshakes_ = 0;  // in a row
  bool answered_ = false;
  int outages_ = 0;
};

// Reports on stderr that the scheduler is away: one line at the beginning and one when it is back.
// On a terminal the first line is updated in place.
class OutageLine {
 public:
  void Away(const std::string& waiting);
  void Back(const std::string& sentence);

 private:
  bool shown_ = false;
};

// Repeats unary and streamed calls until the scheduler answers, and reports on stderr that it is
// waiting.
class PatientCaller {
 public:
  PatientCaller(Connection& connection, Milliseconds timeout)
      : connection_(connection), reconnection_(connection, timeout) {}

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    for (;;) {
      Response response;
      const grpc::Status status = connection_.TryCall(method, request, &response);
      if (status.ok()) {
        Answered();
        return response;
      }
      RETURN_IF_ERROR(Await(status));
    }
  }

  // Records that a stream has delivered a message.
  void Answered();
  // Handles the end of a call with `status`: waits before the next call, or returns the final
  // error.
  absl::Status Await(const grpc::Status& status);
  int outages() const { return reconnection_.outages(); }

 private:
  Connection& connection_;
  Reconnection reconnection_;
  OutageLine line_;
};

}  // namespace mozgach
