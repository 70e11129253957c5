#include "tests/sim/life.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/people.h"

namespace mozgach::sim {
namespace {

constexpr Milliseconds kHealingMax{3'600'000};
constexpr Milliseconds kLook(5'000);

// One host: what it is like, its network, and the workers that have run on it.
struct Host {
  HostState state;
  std::unique_ptr<Network> network;
  std::vector<std::shared_ptr<WorkerMachine>> workers;  // the newest last; a twin beside it
  int64_t starts = 0;
  bool gone = false;  // for good
};

class Life {
 public:
  Life(const Plan& plan, const std::filesystem::path& folder, bool print)
      : plan_(plan),
        trace_(print),
        scheduler_(folder, plan, agenda_, trace_,
                   [this](const std::string& what) {
                     if (outcome_.violation.empty()) outcome_.violation = what;
                   }),
        people_(Mix(plan.seed, "people"), agenda_, trace_, scheduler_) {
    for (int i = 0; i < plan.hosts; ++i) AddHost(i);
  }

  Outcome Run() {
    scheduler_.Start();
    for (Host& host : hosts_) StartWorker(host);
    for (const Item& item : plan_.items) agenda_.At(item.at, [this, item] { Befall(item); });
    while (agenda_.now() < plan_.chaos && Sound() && agenda_.Step(plan_.chaos)) {
    }
    if (Sound()) Heal();
    const Milliseconds end = plan_.chaos + kHealingMax;
    while (Sound() && !healed_ && agenda_.Step(end)) {
    }
    if (Sound() && !healed_) outcome_.violation = WhatIsLeft();
    if (Sound()) scheduler_.CheckAtRest();
    return Report();
  }

 private:
  bool Sound() const { return outcome_.violation.empty(); }

  void AddHost(int index) {
    Dice dice(Mix(Mix(plan_.seed, "host"), static_cast<uint64_t>(index)));
    Host& host = hosts_.emplace_back();
    host.state.index = index;
    host.state.devices = dice.Chance(0.3) ? 2 : 1;
    // Host 0 has everything: with it alone the queue must empty.
    if (index == 0 || dice.Chance(0.8)) host.state.bases.push_back(kTiny);
    if (index == 0 || host.state.bases.empty() || dice.Chance(0.5)) {
      host.state.bases.push_back(kQwen);
    }
    host.state.memory_bytes = UINT64_C(1) << (index == 0 ? 36 : dice.Between(32, 36));
    for (int device = 0; device < host.state.devices; ++device) {
      scheduler_.invariants().HasMemory(NameOf(host), DeviceName(host.state, device),
                                        static_cast<int64_t>(host.state.memory_bytes));
    }
    host.state.clock_offset = dice.Between(Milliseconds(0), Milliseconds(100'000'000));
    host.network = std::make_unique<Network>(
        Mix(Mix(plan_.seed, "network"), static_cast<uint64_t>(index)), agenda_, scheduler_);
  }

  std::string NameOf(const Host& host) const { return absl::StrCat("host-", host.state.index); }

  void StartWorker(Host& host) {
    if (host.gone) return;
    ++host.starts;
    host.workers.push_back(std::make_shared<WorkerMachine>(
        NameOf(host), absl::StrCat(NameOf(host), ".", host.starts), Mix(plan_.seed, "worker"),
        host.state, *host.network, agenda_, trace_));
    host.workers.back()->Start();
  }

  // Ends every worker of the host, as a power cut does.
  void CrashWorkers(Host& host) {
    for (const auto& worker : host.workers) {
      if (worker->alive()) worker->Crash();
    }
    host.workers.clear();
  }

  bool HasWorker(const Host& host) const {
    return std::any_of(host.workers.begin(), host.workers.end(),
                       [](const auto& worker) { return worker->alive(); });
  }

  void Befall(const Item& item) {
    if (healing_) return;
    trace_.Note(agenda_.now(), "fate", Name(item.deed), item.host, item.number);
    if (BefallScheduler(item) || BefallHost(item, hosts_[static_cast<size_t>(item.host)])) return;
    Wish(item);
  }

  bool BefallScheduler(const Item& item) {
    switch (item.deed) {
      case Deed::kCrashScheduler:
        scheduler_.CrashFor("crashes", item.length);
        return true;
      case Deed::kDieAtStep:
        Disk::Get().DieAfter(item.number);
        return true;
      case Deed::kDiskError:
        Disk::Get().FailAfter(item.number, item.number % 2 != 0);
        return true;
      case Deed::kPauseScheduler:
        scheduler_.Pause(item.length);
        return true;
      case Deed::kJumpClock:
        scheduler_.JumpClock(Milliseconds(item.number));
        return true;
      case Deed::kFillDisk:
        scheduler_.FillDisk(true);
        agenda_.After(item.length, [this] { scheduler_.FillDisk(false); });
        return true;
      case Deed::kBackUp:
        scheduler_.BackUp();
        return true;
      case Deed::kRestore:
        scheduler_.RestoreFor(item.length);
        return true;
      case Deed::kCollect:
        scheduler_.Collect([this] { people_.Meddle(); });
        return true;
      case Deed::kLoseStaging:
        scheduler_.LoseStaging();
        return true;
      default:
        return false;
    }
  }

  bool BefallHost(const Item& item, Host& host) {
    const Milliseconds end = agenda_.now() + item.length;
    switch (item.deed) {
      case Deed::kCrashWorker:
        CrashWorkers(host);
        agenda_.At(end, [this, &host] {
          if (!HasWorker(host)) StartWorker(host);
        });
        return true;
      case Deed::kPauseWorker:
        host.state.paused_until = std::max(host.state.paused_until, end);
        return true;
      case Deed::kSuspendHost:
        host.state.frozen_until = std::max(host.state.frozen_until, end);
        return true;
      case Deed::kTwin:
        StartWorker(host);
        return true;
      case Deed::kBadNetwork:
        host.network->BeBad(item.length);
        return true;
      case Deed::kCutNetwork:
        host.network->Cut(item.length);
        return true;
      case Deed::kSickTrainers:
        host.state.sick_until = std::max(host.state.sick_until, end);
        return true;
      default:
        return false;
    }
  }

  void Wish(const Item& item) {
    const std::string worker = NameOf(hosts_[static_cast<size_t>(item.host)]);
    switch (item.deed) {
      case Deed::kSubmit:
        return people_.Submit(item.number);
      case Deed::kCancel:
        return people_.Cancel(false);
      case Deed::kCancelLate:
        return people_.Cancel(true);
      case Deed::kCancelAll:
        return people_.CancelAll();
      case Deed::kRetry:
        return people_.Retry();
      case Deed::kDrain:
        people_.Drain(worker, false);
        agenda_.After(item.length, [this, worker] { people_.Drain(worker, true); });
        return;
      default:
        return people_.Look();
    }
  }

  // No fault any more: everything that can start starts, and the queue must empty.
  void Heal() {
    healing_ = true;
    trace_.Note(agenda_.now(), "fate", "heals");
    Disk::Get().Revive();
    scheduler_.FillDisk(false);
    for (Host& host : hosts_) {
      host.state.sick_until = agenda_.now();
      host.network->Heal();
      host.gone = plan_.one_survivor && host.state.index != 0;
      if (host.gone) CrashWorkers(host);
    }
    people_.UndoEveryDrain();
    KeepAlive();
  }

  // As supervisors do, until the queue is empty.
  void KeepAlive() {
    scheduler_.Start();
    for (Host& host : hosts_) {
      if (!HasWorker(host) && !host.gone) StartWorker(host);
    }
    if (scheduler_.AtRest()) {
      healed_ = true;
      return;
    }
    agenda_.After(kLook, [this] { KeepAlive(); });
  }

  std::string WhatIsLeft() {
    static constexpr char kOpen[] =
        "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')";
    static constexpr char kFirst[] =
        "SELECT min(job) FROM jobs WHERE state IN ('queued', 'running')";
    return absl::StrCat("the queue does not empty: ", scheduler_.Count(kOpen),
                        " jobs are left, job ", scheduler_.Count(kFirst), " the first of them");
  }

  Outcome Report() {
    static constexpr char kJobs[] =
        "SELECT count(*) FROM jobs WHERE state NOT IN ('queued', 'running')";
    static constexpr char kAttempts[] = "SELECT count(*) FROM attempts";
    outcome_.trace = trace_.hash();
    outcome_.jobs = scheduler_.Count(kJobs);
    outcome_.attempts = scheduler_.Count(kAttempts);
    outcome_.calls = scheduler_.calls();
    outcome_.stale_reports = scheduler_.stale_reports_seen();
    outcome_.restores = scheduler_.restores();
    outcome_.collected = scheduler_.collected();
    outcome_.deaths = scheduler_.deaths();
    outcome_.simulated_seconds = static_cast<double>(agenda_.now().count()) / 1000;
    return outcome_;
  }

  const Plan& plan_;
  Agenda agenda_;
  Trace trace_;
  Outcome outcome_;
  SchedulerMachine scheduler_;
  People people_;
  std::deque<Host> hosts_;
  bool healing_ = false;
  bool healed_ = false;
};

}  // namespace

Outcome Live(const Plan& plan, const std::filesystem::path& folder, bool print) {
  Life life(plan, folder, print);
  return life.Run();
}

}  // namespace mozgach::sim
