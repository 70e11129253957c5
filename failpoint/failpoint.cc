#include "failpoint/failpoint.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/mutex.h"

namespace mozgach {
enum class FailpointAct { kCrashBefore, kCrashAfter, kError, kErrorAfter, kDelay };

struct FailpointOrder {
  FailpointAct act = FailpointAct::kDelay;
  int64_t at = 0;  // 0: every time
  std::chrono::milliseconds delay{0};
  int64_t passed = 0;
  bool now = false;  // this time
};

namespace {

constexpr int64_t kDelayMax = 600'000;

absl::StatusOr<FailpointOrder> ReadOrder(absl::string_view text) {
  FailpointOrder order;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '@');
  const bool counted = parts.size() == 2 && absl::SimpleAtoi(parts[1], &order.at) && order.at > 0;
  absl::string_view act = parts[0];
  int64_t delay = 0;
  if (act == "crash_before") {
    order.act = FailpointAct::kCrashBefore;
  } else if (act == "crash_after") {
    order.act = FailpointAct::kCrashAfter;
  } else if (act == "error") {
    order.act = FailpointAct::kError;
  } else if (act == "error_after") {
    order.act = FailpointAct::kErrorAfter;
  } else if (!absl::ConsumePrefix(&act, "delay(") || !absl::ConsumeSuffix(&act, ")") ||
             !absl::SimpleAtoi(act, &delay) || delay < 0 || delay > kDelayMax) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is not an action of a failpoint"));
  }
  order.delay = std::chrono::milliseconds(delay);
  if (parts.size() > 2 || (parts.size() == 2 && !counted)) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "': @ and a count, from 1"));
  }
  return order;
}

}  // namespace

// All failpoints of the program, and what is to happen at which.
class FailpointBoard {
 public:
  static FailpointBoard& Get() {
    static FailpointBoard board;
    return board;
  }
  static void Add(Failpoint* point) {
    point->next_ = first_;
    first_ = point;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const Failpoint* point = first_; point != nullptr; point = point->next_) {
      names.emplace_back(point->name());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status Arm(absl::string_view text) {
    std::map<std::string, FailpointOrder, std::less<>> orders;
    for (const absl::string_view piece : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
      const std::vector<absl::string_view> sides =
          absl::StrSplit(absl::StripAsciiWhitespace(piece), absl::MaxSplits('=', 1));
      if (sides.size() != 2) {
        return absl::InvalidArgumentError(absl::StrCat("'", piece, "' is not NAME=ACTION"));
      }
      const absl::StatusOr<FailpointOrder> order = ReadOrder(sides[1]);
      if (!order.ok()) return order.status();
      orders.insert_or_assign(std::string(sides[0]), *order);
    }
    const MutexLock lock(mutex_);
    orders_ = std::move(orders);
    Mark();
    return absl::OkStatus();
  }

  void Watch(FailpointWatcher watcher) {
    const MutexLock lock(mutex_);
    watcher_ = watcher;
    Mark();
  }

  void HappenOnlyOnce(std::string file) { once_ = std::move(file); }

  absl::Status Before(const Failpoint& point) {
    if (const FailpointWatcher watch = Watcher(); watch != nullptr) watch(point, false);
    MutexLock lock(mutex_);
    const auto found = orders_.find(point.name());
    if (found == orders_.end()) return absl::OkStatus();
    FailpointOrder& order = found->second;
    ++order.passed;
    order.now = (order.at == 0 || order.passed == order.at) && IsFirst(point);
    if (!order.now) return absl::OkStatus();
    const FailpointAct act = order.act;
    const auto delay = order.delay;
    lock.unlock();
    if (act == FailpointAct::kCrashBefore) Die();
    if (act == FailpointAct::kError) return Failed(point);
    std::this_thread::sleep_for(delay);
    return absl::OkStatus();
  }

  absl::Status After(const Failpoint& point, absl::Status came_to) {
    if (const FailpointWatcher watch = Watcher(); watch != nullptr) watch(point, true);
    const MutexLock lock(mutex_);
    const auto found = orders_.find(point.name());
    if (found == orders_.end() || !found->second.now) return came_to;
    found->second.now = false;
    if (found->second.act == FailpointAct::kCrashAfter) Die();
    if (found->second.act != FailpointAct::kErrorAfter || !came_to.ok()) return came_to;
    if (point.kind() == Failpoint::Kind::kCommit) Die();
    return Failed(point);
  }

 private:
  // REQUIRES: mutex_ is held.
  void Mark() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (Failpoint* point = first_; point != nullptr; point = point->next_) {
      point->armed_ = watcher_ != nullptr || orders_.contains(point->name());
    }
  }

  bool IsFirst(const Failpoint& point) const {
    if (once_.empty()) return true;
    const int fd = ::open(once_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    const ssize_t ignored = ::write(fd, point.name(), std::strlen(point.name()));
    (void)ignored;
    ::close(fd);
    return true;
  }

  // No destructor, no flush, no handler: as a machine does it.
  [[noreturn]] static void Die() {
    ::kill(::getpid(), SIGKILL);
    ::_exit(137);
  }

  FailpointWatcher Watcher() {
    const MutexLock lock(mutex_);
    return watcher_;
  }

  static absl::Status Failed(const Failpoint& point) {
    return absl::InternalError(absl::StrCat("the failpoint ", point.name(), " was armed"));
  }

  static constinit Failpoint* first_;
  Mutex mutex_;
  std::map<std::string, FailpointOrder, std::less<>> orders_ ABSL_GUARDED_BY(mutex_);
  FailpointWatcher watcher_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::string once_;
};

constinit Failpoint* FailpointBoard::first_ = nullptr;

Failpoint::Failpoint(const char* name, Kind kind) : name_(name), kind_(kind) {
  FailpointBoard::Add(this);
}

absl::Status Failpoint::Before() { return FailpointBoard::Get().Before(*this); }

absl::Status Failpoint::After(absl::Status came_to) {
  return FailpointBoard::Get().After(*this, std::move(came_to));
}

std::vector<std::string> FailpointNames() { return FailpointBoard::Get().Names(); }

absl::Status ArmFailpoints(std::string_view text) {
  return FailpointBoard::Get().Arm(absl::string_view(text.data(), text.size()));
}

void WatchFailpoints(FailpointWatcher watcher) { FailpointBoard::Get().Watch(watcher); }

std::optional<int> ObeyFailpointEnvironment() {
  const char* text = std::getenv("MOZGACH_FAILPOINTS");
  if (text == nullptr || *text == '\0') return std::nullopt;
  if (std::string_view(text) == "list") {
    for (const std::string& name : FailpointNames()) std::printf("%s\n", name.c_str());
    return 0;
  }
  if (const absl::Status armed = ArmFailpoints(text); !armed.ok()) {
    std::fprintf(stderr, "MOZGACH_FAILPOINTS: %s\n", std::string(armed.message()).c_str());
    return 2;
  }
  if (const char* once = std::getenv("MOZGACH_FAILPOINTS_ONCE"); once != nullptr) {
    FailpointBoard::Get().HappenOnlyOnce(once);
  }
  std::fprintf(stderr, "failpoints are armed: %s\n", text);
  return std::nullopt;
}

}  // namespace mozgach
