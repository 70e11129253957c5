// What a command that follows something (watch, logs -f, events -f, submit --wait) does while the
// scheduler is away: a restart, an upgrade, a crash, a lost network.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "ctl/client/connection.h"

namespace mozgach {

// Decides whether a call is made again.  Not thread-safe.
class Reconnection {
 public:
  // `timeout`: how long the scheduler may be away before the command ends.
  Reconnection(const Connection& connection, Milliseconds timeout)
      : connection_(connection), timeout_(timeout) {}

  // The scheduler has answered.  Returns a sentence for people if it was away before.
  std::string Answered();

  // A call has ended with `status`.  OK: make it again after Pause().  Otherwise the error that
  // ends the command: the scheduler refused the call, one of the two refused the other's
  // certificate, or the scheduler has been away for longer than the timeout.
  absl::Status Failed(const grpc::Status& status);

  // Between two calls: connects again meanwhile.  Takes from 0.2 s up to 2 s, less where the
  // connection is made earlier; ends soon after `stopped` returns true.
  void Pause(const std::function<bool()>& stopped) const;
  // "the scheduler at … does not answer (…); trying again for …": while it is away, otherwise
  // empty.
  std::string Waiting() const;
  // How often the scheduler has come back.
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

// Tells a person on stderr that the scheduler is away: one line when that begins and one when it is
// back; on a terminal the first is updated in place.
class OutageLine {
 public:
  void Away(const std::string& waiting);
  void Back(const std::string& sentence);

 private:
  bool shown_ = false;
};

// Makes unary and streamed calls until the scheduler answers them, and tells a person on stderr
// what it waits for.
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

  // A stream has brought something.
  void Answered();
  // A call has ended with `status`: waits before the next one, or returns the error that is final.
  absl::Status Await(const grpc::Status& status);
  int outages() const { return reconnection_.outages(); }

 private:
  Connection& connection_;
  Reconnection reconnection_;
  OutageLine line_;
};

}  // namespace mozgach
