#include "tests/sim/scheduler_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "registry/blob_upload.h"
#include "registry/migration.h"
#include "registry/query.h"
#include "scheduler/state/schema.h"
#include "scheduler/upkeep/restoration.h"
#include "scheduler/upkeep/retention.h"
#include "tests/sim/disk.h"

namespace mozgach::sim {
namespace {

constexpr int64_t kBirth = 1'790'000'000'000;  // the wall clock at the start of every life
constexpr Milliseconds kLongestSleep(1000);    // the executor's own thread
constexpr Milliseconds kRestartWait(2000);     // a supervisor waits as long
constexpr int64_t kCallsBetweenChecks = 256;
constexpr uint64_t kBlobBytesMax = 1 << 20;
constexpr std::chrono::hours kAges(24 * 36500);

constexpr char kJobRow[] =
    "SELECT state, attempt, failures, disturbances, cancel_requested, version, ready FROM jobs "
    "WHERE job = ?1";
constexpr char kAttemptRow[] =
    "SELECT state, class, worker, ended_ms, step, phase FROM attempts "
    "WHERE job = ?1 AND attempt = ?2";
constexpr char kVersionRow[] = "SELECT number, attempt, state FROM versions WHERE job = ?1";
constexpr char kLeaseRow[] = "SELECT attempt, worker, incarnation FROM leases WHERE job = ?1";
constexpr char kCancelAsked[] = "SELECT 1 FROM jobs WHERE job = ?1 AND cancel_requested = 1";
// The attempt that may write, unless a newer worker of its name has called.
constexpr char kMayWrite[] =
    "SELECT 1 FROM leases WHERE job = ?1 AND attempt = ?2 AND worker = ?3 AND NOT EXISTS ("
    "SELECT 1 FROM incarnations AS mine JOIN incarnations AS newer ON newer.worker = mine.worker "
    "AND newer.number > mine.number WHERE mine.worker = ?3 AND mine.incarnation = ?4)";

constexpr char kWantedBlobs[] =
    "SELECT sha256, job FROM job_datasets JOIN jobs USING (job) WHERE state IN ('queued', "
    "'running')";

// Every row of `query`, in words.
void AppendRows(Query& query, int columns, std::string& text) {
  while (query.Next()) {
    for (int i = 0; i < columns; ++i) absl::StrAppend(&text, query.Text(i), "|");
    text += "\n";
  }
}

// A schema made once, copied for every life.
Database& Blank() {
  static const std::unique_ptr<Database> blank = [] {
    auto database = Database::Open(":memory:").value();
    (void)Migrate(*database, Schema());
    return database;
  }();
  return *blank;
}

}  // namespace

WallTime SchedulerMachine::MachineClock::Now() const {
  return FromMillis(kBirth) + machine_.agenda_.now() + machine_.wall_offset_;
}

Milliseconds SchedulerMachine::MachineClock::SinceBoot() const {
  return Milliseconds(1'000'000) + machine_.agenda_.now() - machine_.booted_;
}

SchedulerMachine::SchedulerMachine(std::filesystem::path root, const Plan& plan, Agenda& agenda,
                                   Trace& trace, Alarm alarm)
    : root_(std::move(root)),
      plan_(plan),
      agenda_(agenda),
      trace_(trace),
      alarm_(std::move(alarm)),
      clock_(*this),
      invariants_(root_ / "registry",
                  {.back_off_ms =
                       std::any_of(plan.items.begin(), plan.items.end(),
                                   [](const Item& item) { return item.deed == Deed::kJumpClock; })
                           ? 0
                           : config_.back_off.count()}) {
  Disk::Get().Reset();
  Database& blank = Blank();
  database_ = Database::Open(":memory:").value();
  (void)database_->CopyFrom(blank);
}

SchedulerMachine::~SchedulerMachine() { Close(); }

void SchedulerMachine::Start() {
  if (up() || restoring_) return;
  const absl::Status started = TryToStart();
  if (started.ok() && !Disk::Get().dead()) {
    Note("started");
    ++life_;
    CheckInvariants();
    PlanTick();
    return;
  }
  Close();
  Note(Disk::Get().dead() ? "died at its start" : "cannot start");
  Disk::Get().Revive();
  agenda_.After(kRestartWait, [this] { Start(); });
}

absl::Status SchedulerMachine::TryToStart() {
  blobs_ = std::make_unique<BlobStore>(root_ / "blobs", kBlobBytesMax);
  RETURN_IF_ERROR(blobs_->Open());
  adapters_ = std::make_unique<AdapterStore>(*database_, root_ / "registry");
  core_ = std::make_unique<Core>(config_, *database_, *blobs_, *adapters_);
  RETURN_IF_ERROR(core_->Recover(Now::Of(clock_)));
  executor_ = std::make_unique<CoreExecutor>(*core_, clock_, CoreExecutor::Timer::kNone);
  return absl::OkStatus();
}

void SchedulerMachine::Close() {
  ++life_;  // no reply is heard any more
  executor_.reset();
  core_.reset();
  adapters_.reset();
}

void SchedulerMachine::Crash(const char* why) {
  if (!up()) return;
  ++deaths_;
  Note(why);
  Close();
  Disk::Get().Revive();
}

void SchedulerMachine::CrashFor(const char* why, Milliseconds length) {
  if (!up()) return;
  Crash(why);
  agenda_.After(length, [this] { Start(); });
}

void SchedulerMachine::DieIfDead() {
  if (Disk::Get().dead()) CrashFor("dies in the middle of it", kRestartWait);
}

void SchedulerMachine::Pause(Milliseconds length) {
  paused_until_ = std::max(paused_until_, agenda_.now() + length);
  Note("is paused", length.count());
}

void SchedulerMachine::FillDisk(bool full) {
  Disk::Get().Fill(full);
  Note(full ? "has no room on its disk" : "has room on its disk");
  const int64_t pages = full ? Count("SELECT page_count FROM pragma_page_count") : 1'000'000;
  (void)database_->Execute(absl::StrCat("PRAGMA max_page_count = ", pages));
}

void SchedulerMachine::BackUp() {
  if (!up()) return;
  auto copy = Database::Open(":memory:").value();
  if (!copy->CopyFrom(*database_).ok()) return;
  backup_ = std::move(copy);
  Note("is backed up");
}

void SchedulerMachine::RestoreFor(Milliseconds length) {
  if (backup_ == nullptr || !up()) return;
  Crash("is shut down for a restore");
  Restore(length);
}

void SchedulerMachine::Restore(Milliseconds length) {
  restoring_ = true;
  auto restored = Database::Open(":memory:").value();
  if (!restored->CopyFrom(*backup_).ok()) return alarm_("a backup cannot be copied");
  database_ = std::move(restored);
  if (Disk::Get().full()) FillDisk(true);
  const absl::Status marked = mozgach::Restore(*database_, clock_.Now());
  if (!marked.ok() || Disk::Get().dead()) {
    Note("cannot be restored");
    Disk::Get().Revive();
    agenda_.After(kRestartWait, [this, length] { Restore(length); });
    return;
  }
  invariants_.Restored(*database_);
  ++restores_;
  Note("is restored from its backup");
  restoring_ = false;
  agenda_.After(length, [this] { Start(); });
}

void SchedulerMachine::Collect(const std::function<void()>& between) {
  if (!up() || paused()) return;
  CheckInvariants();
  // What goes may be what an older database names.
  backup_.reset();
  SchedulerConfig rules = config_;
  rules.versions_kept = rules.job_days_kept = rules.event_days_kept = 1;
  const VersionFiles versions(root_ / "registry");
  Retention retention(rules, *blobs_, versions, root_);
  const auto turn = [&](const Retention::Step& step) -> absl::Status {
    between();
    absl::Status done;
    const bool lives =
        up() && Ask([&](Core& core, const Now&) { done = step(core.state().database); });
    return lives ? done : absl::UnavailableError("the scheduler has died");
  };
  const auto collection = retention.Collect(turn, FromMillis(kBirth) + kAges, "people");
  DieIfDead();
  if (!up()) return;
  if (!collection.ok()) return Note("cannot collect");
  for (const Collection::Total& total : collection->totals) collected_ += total.count;
  Note("collected", collected_);
  CheckInvariants();
  CheckBlobs();
}

void SchedulerMachine::CheckBlobs() {
  Query wanted(*database_, kWantedBlobs);
  while (wanted.Next()) {
    if (std::filesystem::exists(blobs_->Path(wanted.Text(0)).value())) continue;
    return alarm_(
        absl::StrCat("job ", wanted.Int(1), " wants ", wanted.Text(0), ", which is gone"));
  }
}

void SchedulerMachine::LoseStaging() {
  (void)RemoveAll(root_ / "registry" / "staging");
  std::error_code error;
  std::filesystem::create_directories(root_ / "registry" / "staging", error);
  Note("lost what was staged");
}

void SchedulerMachine::Hear(std::shared_ptr<const v1::SynchronizeRequest> request, Reply reply) {
  if (!CheckRequest(*request).ok()) return alarm_("a worker's request is refused as malformed");
  // What is due happens first in any case; here, so that it is not taken for the call's doing.
  if (!Ask([](Core& core, const Now& now) { core.Enter(now); })) return;
  const std::vector<Guarded> guarded = GuardStale(*request);
  const int64_t life = life_;
  executor_->Synchronize(*request, [this, life, request, reply = std::move(reply)](auto answer) {
    if (life != life_ || Disk::Get().dead()) return;
    reply(std::move(answer));
  });
  CheckGuarded(guarded);
  DieIfDead();
  if (++calls_ % kCallsBetweenChecks == 0) CheckInvariants();
  PlanTick();
}

void SchedulerMachine::Leave(const v1::SynchronizeRequest& request) { executor_->Leave(request); }

bool SchedulerMachine::Ask(const std::function<void(Core&, const Now&)>& question) {
  executor_->Run([&](Core& core, const Now& now) {
    question(core, now);
    return 0;
  });
  const bool dead = Disk::Get().dead();
  DieIfDead();
  PlanTick();
  return !dead;
}

absl::Status SchedulerMachine::PutBlob(const std::string& bytes) {
  const auto put = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(auto upload, blobs_->Upload(Sha256Hex(bytes), bytes.size(), 0));
    RETURN_IF_ERROR(upload->Append(bytes));
    return upload->Finish();
  };
  const absl::Status status = put();
  if (!Disk::Get().dead()) return status;
  DieIfDead();
  return absl::UnavailableError("the scheduler died");
}

void SchedulerMachine::PlanTick() {
  if (!up()) return;
  const Milliseconds wait =
      std::clamp(executor_->NextDue() - clock_.SinceBoot(), Milliseconds(1), kLongestSleep);
  agenda_.After(wait, [this, tick = ++ticks_] {
    if (tick != ticks_ || !up()) return;
    if (paused()) {
      agenda_.At(paused_until_, [this] { PlanTick(); });
      return;
    }
    executor_->DoWhatIsDue();
    DieIfDead();
    PlanTick();
  });
}

bool SchedulerMachine::IsStale(const v1::SynchronizeRequest& request,
                               const v1::AttemptReport& report) {
  if (request.scheduler_incarnation() != core_->state().incarnation) return true;
  Query may(*database_, kMayWrite, report.job(), report.attempt(), request.worker(),
            request.incarnation());
  return !may.Next();
}

std::string SchedulerMachine::JobRow(int64_t job) {
  std::string text;
  Query row(*database_, kJobRow, job);
  AppendRows(row, 7, text);
  Query lease(*database_, kLeaseRow, job);
  AppendRows(lease, 3, text);
  Query versions(*database_, kVersionRow, job);
  AppendRows(versions, 3, text);
  return text;
}

std::string SchedulerMachine::RowsOf(int64_t job, int64_t attempt) {
  std::string text;
  Query row(*database_, kAttemptRow, job, attempt);
  AppendRows(row, 6, text);
  return text;
}

// Whether the rest of the call may have a say in the job: it names another attempt of it, or does
// not name the one that its worker holds, or the job waits and may be given to it.
bool SchedulerMachine::IsOthersBusiness(const v1::SynchronizeRequest& request,
                                        const v1::AttemptReport& report) {
  const auto names_it = [&](const v1::AttemptReport& each) { return each.job() == report.job(); };
  if (std::count_if(request.attempts().begin(), request.attempts().end(), names_it) > 1)
    return true;
  Query lease(*database_, kLeaseRow, report.job());
  if (!lease.Next()) return absl::StartsWith(JobRow(report.job()), "queued|");
  if (lease.Text(1) != request.worker()) return false;
  Query cancelled(*database_, kCancelAsked, report.job());
  return lease.Text(2) != request.incarnation() || cancelled.Next();
}

std::vector<SchedulerMachine::Guarded> SchedulerMachine::GuardStale(
    const v1::SynchronizeRequest& request) {
  std::vector<Guarded> guarded;
  for (const v1::AttemptReport& report : request.attempts()) {
    if (!IsStale(request, report)) continue;
    ++stale_seen_;
    Guarded& entry = guarded.emplace_back();
    entry.job = report.job();
    entry.attempt = report.attempt();
    entry.before = RowsOf(entry.job, entry.attempt);
    entry.job_before = JobRow(entry.job);
    entry.others_business = IsOthersBusiness(request, report);
  }
  return guarded;
}

void SchedulerMachine::CheckGuarded(const std::vector<Guarded>& guarded) {
  if (Disk::Get().dead()) return;
  for (const Guarded& entry : guarded) {
    if (!entry.others_business && JobRow(entry.job) != entry.job_before) {
      alarm_(absl::StrCat("a report of attempt ", entry.job, "-", entry.attempt,
                          ", which is over, changed job ", entry.job, ": ", entry.job_before,
                          " became ", JobRow(entry.job)));
    }
    if (RowsOf(entry.job, entry.attempt) != entry.before) {
      alarm_(absl::StrCat("a report of attempt ", entry.job, "-", entry.attempt,
                          ", which is over, changed its rows: ", entry.before, " became ",
                          RowsOf(entry.job, entry.attempt)));
    }
  }
}

int64_t SchedulerMachine::Count(const char* sql) {
  Query row(*database_, sql);
  return row.Next() ? row.Int(0) : -1;
}

void SchedulerMachine::CheckInvariants() {
  for (const std::string& problem : invariants_.Check(*database_)) return alarm_(problem);
}

bool SchedulerMachine::AtRest() {
  static constexpr char kOpen[] = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')";
  return up() && Count(kOpen) == 0;
}

void SchedulerMachine::CheckAtRest() {
  for (const std::string& problem : invariants_.CheckAtRest(*database_)) return alarm_(problem);
}

}  // namespace mozgach::sim
