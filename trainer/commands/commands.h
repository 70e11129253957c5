// The commands of mozgach-trainer. Each Add…() registers one command with its flags. If the command
// line names it, `*command` is set to its function.
//
// Results go to stdout, progress and messages to stderr. The status determines the exit code.
#pragma once

#include <functional>

#include "CLI/CLI.hpp"
#include "common/status.h"

namespace mozgach {

using Command = std::function<absl::Status()>;

void AddTrainCommand(CLI::App& app, Command* command);
void AddEvaluateCommand(CLI::App& app, Command* command);
void AddGenerateCommand(CLI::App& app, Command* command);
void AddScoreCommand(CLI::App& app, Command* command);
void AddTokenizeCommand(CLI::App& app, Command* command);
void AddRenderCommand(CLI::App& app, Command* command);
void AddQuantizeCommand(CLI::App& app, Command* command);
void AddServeCommand(CLI::App& app, Command* command);
void AddDevicesCommand(CLI::App& app, Command* command);

}  // namespace mozgach
