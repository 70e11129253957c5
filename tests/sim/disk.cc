#include "tests/sim/disk.h"

#include <cerrno>

namespace mozgach::sim {
namespace {

int OnOpen(sqlite3* connection, const char** message, const struct sqlite3_api_routines* routines) {
  Disk::Get().Opened(connection);
  return SQLITE_OK;
}

}  // namespace

Disk& Disk::Get() {
  static Disk disk;
  static const int registered = sqlite3_auto_extension(reinterpret_cast<void (*)()>(&OnOpen));
  (void)registered;
  return disk;
}

void Disk::Reset() { *this = Disk(); }

void Disk::Revive() {
  dead_ = false;
  die_at_ = 0;
}

int Disk::Before(bool needs_room) {
  ++step_;
  if (die_at_ != 0 && step_ >= die_at_) dead_ = true;
  if (dead_) return EIO;
  if (full_ && needs_room) return ENOSPC;
  if (fail_at_ == 0 || step_ < fail_at_) return 0;
  fail_at_ = 0;
  fail_now_ = fail_but_done_;
  return fail_but_done_ ? 0 : EIO;
}

int Disk::After() {
  ++step_;
  if (die_at_ != 0 && step_ >= die_at_) dead_ = true;
  const bool fails = fail_now_;
  fail_now_ = false;
  return dead_ || fails ? EIO : 0;
}

bool Disk::MayCommit() {
  ++step_;
  if (die_at_ != 0 && step_ >= die_at_) dead_ = true;
  if (dead_ || full_) return false;
  if (fail_at_ != 0 && step_ >= fail_at_) {
    fail_at_ = 0;
    return false;
  }
  ++step_;
  if (die_at_ != 0 && step_ >= die_at_) dead_ = true;  // right after it
  return true;
}

void Disk::Opened(sqlite3* connection) {
  newest_ = connection;
  sqlite3_commit_hook(
      connection, [](void*) { return Disk::Get().MayCommit() ? 0 : 1; }, nullptr);
}

}  // namespace mozgach::sim
