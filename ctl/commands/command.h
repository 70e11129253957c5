// The commands of mozgachctl. Each Add…() function registers one or more commands and their flags.
// When the command line names one of them, its action is stored in `*command`.
//
// Results go to stdout, progress and messages to stderr.
#pragma once

#include <functional>

#include "CLI/CLI.hpp"
#include "common/status.h"
#include "ctl/client/settings.h"

namespace mozgach {

// Runs a command. Returns the exit code, or the error from which it is derived.
using Command = std::function<absl::StatusOr<int>(const Settings&)>;

void AddSubmitCommand(CLI::App& app, Command* command);
void AddPlanCommand(CLI::App& app, Command* command);
void AddJobCommands(CLI::App& app, Command* command);  // ps, cancel, retry, explain
void AddWatchCommand(CLI::App& app, Command* command);
void AddLogsCommand(CLI::App& app, Command* command);
void AddWorkerCommands(CLI::App& app, Command* command);   // workers, drain, events
void AddAdapterCommands(CLI::App& app, Command* command);  // adapters ls|show|pull|verify|alias
void AddBaseCommands(CLI::App& app, Command* command);     // bases ls|add|verify
void AddFleetCommands(CLI::App& app, Command* command);    // fleet init|worker|token|…

void AddUpkeepCommands(CLI::App& app, Command* command);  // doctor, gc

}  // namespace mozgach
