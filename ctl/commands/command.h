// The commands of mozgachctl (DESIGN.md, "The commands").  Each Add…() registers one or more with
// their flags; when one is asked for, `*command` becomes what it does.
//
// Results go to stdout, progress and messages to stderr.
#pragma once

#include <functional>

#include "CLI/CLI.hpp"
#include "common/status.h"
#include "ctl/client/settings.h"

namespace mozgach {

// Returns the exit code, or the error that decides it.
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
