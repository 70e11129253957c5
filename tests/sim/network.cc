#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

namespace mozgach::sim {
namespace {

// A call that was held up somewhere for longer than a lease.
constexpr double kStuck = 0.03;
constexpr Milliseconds kStuckMax{90'000};

}  // namespace

Milliseconds Network::Takes() {
  if (!bad()) return dice_.Between(Milliseconds(0), Milliseconds(4));
  if (dice_.Chance(kStuck)) return dice_.Between(Milliseconds(5'000), kStuckMax);
  return dice_.Between(Milliseconds(1), Milliseconds(3'000));
}

void Network::Call(std::shared_ptr<const v1::SynchronizeRequest> request, Milliseconds deadline,
                   Answer answer) {
  if (!Loses()) Carry(request, answer, Takes());
  if (bad() && dice_.Chance(0.15)) Carry(request, answer, Takes());  // once more
  agenda_.After(deadline, [answer = std::move(answer)] {
    answer(absl::DeadlineExceededError("no answer in time"));
  });
}

void Network::Carry(std::shared_ptr<const v1::SynchronizeRequest> request, Answer answer,
                    Milliseconds wait) {
  agenda_.After(wait, [this, request = std::move(request), answer = std::move(answer)] {
    Arrive(request, answer);
  });
}

void Network::Arrive(std::shared_ptr<const v1::SynchronizeRequest> request, Answer answer) {
  if (!scheduler_.up()) {
    agenda_.After(Takes(), [answer = std::move(answer)] {
      answer(absl::UnavailableError("nobody listens"));
    });
    return;
  }
  if (scheduler_.paused()) {
    return Carry(std::move(request), std::move(answer),
                 scheduler_.paused_until() - agenda_.now() + Milliseconds(1));
  }
  scheduler_.Hear(request, [this, answer = std::move(answer)](auto said) {
    if (Loses()) return;
    agenda_.After(Takes(), [answer, said = std::move(said)] { answer(said); });
  });
}

void Network::GiveUp(std::shared_ptr<const v1::SynchronizeRequest> request) {
  if (Loses()) return;
  agenda_.After(Takes(), [this, request = std::move(request)] {
    if (scheduler_.up() && !scheduler_.paused()) scheduler_.Leave(*request);
  });
}

bool Network::Reachable() { return scheduler_.up() && !scheduler_.paused() && !Loses(); }

absl::Status Network::Upload(const std::string& bytes) {
  if (!Reachable()) return absl::UnavailableError("not now");
  return scheduler_.PutBlob(bytes);
}

absl::Status Network::Download(const std::string& sha256) {
  if (!Reachable()) return absl::UnavailableError("not now");
  if (scheduler_.HasBlob(sha256)) return absl::OkStatus();
  return absl::NotFoundError("there is no blob " + sha256);
}

}  // namespace mozgach::sim
