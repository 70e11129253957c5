#include "worker/trainer/trainer_devices.h"

#include <condition_variable>

#include "common/json_text.h"
#include "common/log.h"
#include "common/mutex.h"
#include "nlohmann/json.hpp"
#include "worker/trainer/trainer_process.h"

namespace mozgach {
namespace {

// What a run of the program says, until it ends.
struct Answer {
  Mutex mutex;
  std::condition_variable_any ended;
  std::vector<std::string> lines ABSL_GUARDED_BY(mutex);
  bool done ABSL_GUARDED_BY(mutex) = false;
};

std::string NameIn(const std::string& line) {
  const auto device = ParseJson(line);
  if (!device.ok() || !device->is_object()) return "";
  const auto name = device->find("name");
  return name == device->end() || !name->is_string() ? "" : name->get<std::string>();
}

}  // namespace

std::vector<std::string> AskForDevices(const std::filesystem::path& trainer,
                                       const std::filesystem::path& lock, Milliseconds timeout) {
  Answer answer;
  TrainerListener listener;
  listener.said = [&answer](std::string line) {
    const MutexLock lock(answer.mutex);
    answer.lines.push_back(std::move(line));
  };
  listener.wrote = [](const std::string& line) { spdlog::info("trainer: {}", line); };
  listener.exited = [&answer](const std::string&) {
    const MutexLock lock(answer.mutex);
    answer.done = true;
    answer.ended.notify_all();
  };
  {
    const auto process = TrainerProcess::Start(
        {.program = trainer, .arguments = {"devices"}, .lock = lock}, std::move(listener));
    if (!process.ok()) spdlog::warn("{}", std::string(process.status().message()));
    MutexLock wait(answer.mutex);
    answer.ended.wait_for(wait, process.ok() ? timeout : Milliseconds(0),
                          [&answer]()
                              ABSL_EXCLUSIVE_LOCKS_REQUIRED(answer.mutex) { return answer.done; });
  }
  const MutexLock held(answer.mutex);
  std::vector<std::string> names;
  for (const std::string& line : answer.lines) {
    if (std::string name = NameIn(line); !name.empty()) names.push_back(std::move(name));
  }
  if (names.empty()) spdlog::warn("{} names no device; it will choose one", trainer.string());
  return names;
}

}  // namespace mozgach
