// mozgach-trainer: the training engine as a program, for users and for the worker.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string_view>
#include <system_error>

#include "CLI/CLI.hpp"
#include "common/command_line.h"
#include "common/log_line.h"
#include "common/utf8.h"
#include "failpoint/failpoint.h"
#include "trainer/commands/commands.h"
#include "trainer/device/runtime.h"
#include "trainer/train/failure.h"

namespace {

// libgomp's threads spin while they wait for each other. If other processes use the processor too,
// training was ten times slower; a short spin costs nothing otherwise. libgomp reads the variable
// when it is loaded, before main(), so the program restarts itself.
void KeepThreadsFromSpinning(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  const bool computes_nothing =
      command == "tokenize" || command == "render" || command == "devices";
  if (computes_nothing || command.substr(0, 1) == "-") return;
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) execv(program.c_str(), argv);  // if this fails, training is slow
}

}  // namespace

int main(int argc, char** argv) {
  KeepThreadsFromSpinning(argc, argv);
  if (const auto exit_code = mozgach::ObeyFailpointEnvironment()) return *exit_code;
  if (absl::Status log = mozgach::StartLog("mozgach-trainer"); !log.ok()) {
    std::cerr << "mozgach-trainer: " << std::string(log.message()) << std::endl;
    return mozgach::ExitCode(log);
  }
  mozgach::StartRuntime();
  CLI::App app("Trains, scores and runs LoRA adapters of a quantised base.", "mozgach-trainer");
  app.set_version_flag("--version", MOZGACH_VERSION);
  app.require_subcommand(1);
  mozgach::Command command;
  mozgach::AddTrainCommand(app, &command);
  mozgach::AddEvaluateCommand(app, &command);
  mozgach::AddGenerateCommand(app, &command);
  mozgach::AddScoreCommand(app, &command);
  mozgach::AddTokenizeCommand(app, &command);
  mozgach::AddRenderCommand(app, &command);
  mozgach::AddQuantizeCommand(app, &command);
  mozgach::AddServeCommand(app, &command);
  mozgach::AddDevicesCommand(app, &command);
  try {
    // An empty prompt is valid.
    mozgach::ParseCommandLine(app, argc, argv, {"--prompt"});
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::cerr << "mozgach-trainer: " << mozgach::AboutCommandLine(app, error) << std::endl;
    return 2;
  }
  const absl::Status status = mozgach::CatchingExceptions(command);
  if (!status.ok())
    std::cerr << "mozgach-trainer: " << mozgach::Showable(std::string(status.message()))
              << std::endl;
  return mozgach::ExitCode(status);
}
