#include "worker/trainer/trainer_devices.h"

#include <condition_variable>
#include <mutex>

#include "common/json_text.h"
#include "common/log.h"
#include "nlohmann/json.hpp"
#include "worker/trainer/trainer_process.h"

namespace mozgach {
namespace {

// What a run of the program says, until it ends.
struct Answer {
  std::mutex mutex;
  std::condition_variable ended;
  std::vector<std::string> lines;
  bool done = false;
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
    const std::lock_guard lock(answer.mutex);
    answer.lines.push_back(std::move(line));
  };
  listener.wrote = [](const std::string& line) { spdlog::info("trainer: {}", line); };
  listener.exited = [&answer](const std::string&) {
    const std::lock_guard lock(answer.mutex);
    answer.done = true;
    answer.ended.notify_all();
  };
  {
    const auto process = TrainerProcess::Start(
        {.program = trainer, .arguments = {"devices"}, .lock = lock}, std::move(listener));
    if (!process.ok()) spdlog::warn("{}", std::string(process.status().message()));
    std::unique_lock wait(answer.mutex);
    answer.ended.wait_for(wait, process.ok() ? timeout : Milliseconds(0),
                          [&answer] { return answer.done; });
  }
  std::vector<std::string> names;
  for (const std::string& line : answer.lines) {
    if (std::string name = NameIn(line); !name.empty()) names.push_back(std::move(name));
  }
  if (names.empty()) spdlog::warn("{} names no device; it will choose one", trainer.string());
  return names;
}

}  // namespace mozgach
