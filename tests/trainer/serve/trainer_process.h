// A mozgach-trainer that a test runs: its stdin and stdout are the test's.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace mozgach {

class TrainerProcess {
 public:
  // Runs `mozgach-trainer arguments…`; its stderr goes to the file `log`.
  TrainerProcess(const std::vector<std::string>& arguments, const std::filesystem::path& log);
  // Ends it where it still runs.
  ~TrainerProcess();

  void Send(const std::string& line);
  void Send(const nlohmann::json& request) { Send(request.dump()); }
  void CloseInput();

  // Reads events until one fulfils `wanted`, and returns it; null where the stream ends or a minute
  // passes first. All events read are kept in `events`.
  nlohmann::json WaitFor(const std::function<bool(const nlohmann::json&)>& wanted);
  nlohmann::json WaitForEvent(const std::string& event);

  // All of stdout up to its end.
  std::string ReadRest();

  void Signal(int signal) const;
  // The exit code, or 128 + the signal that ended it.
  int Wait();
  pid_t pid() const { return pid_; }

  std::vector<nlohmann::json> events;

 private:
  bool ReadLine(std::string* line);

  pid_t pid_ = -1;
  int in_ = -1;   // the process's stdin
  int out_ = -1;  // and stdout
  std::string buffer_;
};

// What a run to its end printed.
struct Ran {
  int exit_code = 0;
  std::string out;
  std::string log;
};
Ran RunTrainer(const std::vector<std::string>& arguments, const std::string& input = "");

}  // namespace mozgach
