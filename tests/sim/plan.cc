#include "tests/sim/plan.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/sim/dice.h"

namespace mozgach::sim {
namespace {

constexpr Milliseconds kMinute(60'000);

// How often a deed comes up, compared with the others, and its bounds.
struct Habit {
  Deed deed;
  const char* name;
  int weight;
  Milliseconds shortest, longest;  // the bounds of `length`
  int64_t least, most;             // the bounds of `number`
};

constexpr std::array<Habit, 24> kHabits = {{
    {Deed::kCrashScheduler, "crash_scheduler", 4, Milliseconds(100), 2 * kMinute, 0, 0},
    {Deed::kDieAtStep, "die_at_step", 12, {}, {}, 1, 120},
    {Deed::kDiskError, "disk_error", 6, {}, {}, 1, 80},
    {Deed::kPauseScheduler, "pause_scheduler", 2, Milliseconds(1000), 2 * kMinute, 0, 0},
    {Deed::kJumpClock, "jump_clock", 3, {}, {}, -7'200'000, 7'200'000},
    {Deed::kFillDisk, "fill_disk", 3, Milliseconds(1000), kMinute, 0, 0},
    {Deed::kBackUp, "back_up", 4, {}, {}, 0, 0},
    {Deed::kRestore, "restore", 4, Milliseconds(1000), kMinute, 0, 0},
    {Deed::kCollect, "collect", 5, {}, {}, 0, 0},
    {Deed::kLoseStaging, "lose_staging", 1, {}, {}, 0, 0},
    {Deed::kCrashWorker, "crash_worker", 8, Milliseconds(100), 2 * kMinute, 0, 0},
    {Deed::kPauseWorker, "pause_worker", 6, Milliseconds(1000), 2 * kMinute, 0, 0},
    {Deed::kSuspendHost, "suspend_host", 4, Milliseconds(1000), 5 * kMinute, 0, 0},
    {Deed::kTwin, "twin", 4, {}, {}, 0, 0},
    {Deed::kBadNetwork, "bad_network", 10, Milliseconds(5000), 2 * kMinute, 0, 0},
    {Deed::kCutNetwork, "cut_network", 6, Milliseconds(1000), 2 * kMinute, 0, 0},
    {Deed::kSickTrainers, "sick_trainers", 6, Milliseconds(10'000), 2 * kMinute, 0, 0},
    {Deed::kSubmit, "submit", 30, {}, {}, 1, 30},
    {Deed::kCancel, "cancel", 6, {}, {}, 0, 0},
    {Deed::kCancelLate, "cancel_late", 3, {}, {}, 0, 0},
    {Deed::kCancelAll, "cancel_all", 1, {}, {}, 0, 0},
    {Deed::kRetry, "retry", 4, {}, {}, 0, 0},
    {Deed::kDrain, "drain", 5, Milliseconds(1000), 2 * kMinute, 0, 0},
    {Deed::kLook, "look", 2, {}, {}, 0, 0},
}};

const Habit& HabitOf(Deed deed) {
  return *std::find_if(kHabits.begin(), kHabits.end(),
                       [&](const Habit& habit) { return habit.deed == deed; });
}

const Habit& Choose(Dice& dice) {
  int total = 0;
  for (const Habit& habit : kHabits) total += habit.weight;
  int64_t thrown = dice.Between(1, total);
  for (const Habit& habit : kHabits) {
    thrown -= habit.weight;
    if (thrown <= 0) return habit;
  }
  return kHabits.back();
}

// Most trouble comes together, in a few storms.
Milliseconds DrawTime(Dice& dice, const Plan& plan) {
  if (dice.Chance(0.4)) return dice.Between(Milliseconds(0), plan.chaos);
  const int64_t storm = dice.Between(0, 2);
  const Milliseconds middle(
      static_cast<int64_t>(Mix(Mix(plan.seed, "storm"), static_cast<uint64_t>(storm)) %
                           static_cast<uint64_t>(plan.chaos.count())));
  return std::clamp(middle + dice.Between(Milliseconds(-15'000), Milliseconds(15'000)),
                    Milliseconds(0), plan.chaos);
}

Item Draw(Dice& dice, const Habit& habit, const Plan& plan) {
  return {.at = DrawTime(dice, plan),
          .deed = habit.deed,
          .host = static_cast<int>(dice.Between(0, plan.hosts - 1)),
          .length = dice.Between(habit.shortest, habit.longest),
          .number = dice.Between(habit.least, habit.most)};
}

}  // namespace

const char* Name(Deed deed) { return HabitOf(deed).name; }

Plan MakePlan(uint64_t seed) {
  Dice dice(Mix(seed, "plan"));
  Plan plan{.seed = seed,
            .hosts = static_cast<int>(dice.Between(2, 5)),
            .chaos = dice.Between(2 * kMinute, 6 * kMinute),
            .one_survivor = dice.Chance(0.25)};
  // A calm fleet, a lively one, one in ruins.
  const int64_t items = dice.Between(15, 120);
  plan.items.push_back({.deed = Deed::kSubmit, .number = dice.Between(20, 60)});
  for (int64_t i = 0; i < items; ++i) plan.items.push_back(Draw(dice, Choose(dice), plan));
  std::stable_sort(plan.items.begin(), plan.items.end(),
                   [](const Item& a, const Item& b) { return a.at < b.at; });
  return plan;
}

std::string Show(const Plan& plan) {
  std::string text =
      absl::StrFormat("seed %d: %d hosts, %.0f s of chaos, %d items%s\n", plan.seed, plan.hosts,
                      static_cast<double>(plan.chaos.count()) / 1000, plan.items.size(),
                      plan.one_survivor ? ", one host survives" : "");
  for (const Item& item : plan.items) {
    absl::StrAppendFormat(&text, "%10.3f  %s, host %d", static_cast<double>(item.at.count()) / 1000,
                          Name(item.deed), item.host);
    if (item.length.count() != 0) {
      absl::StrAppendFormat(&text, ", for %.3f s", static_cast<double>(item.length.count()) / 1000);
    }
    if (item.number != 0) absl::StrAppend(&text, ", ", item.number);
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace mozgach::sim
