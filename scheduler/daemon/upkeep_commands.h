// mozgach-scheduler backup, restore and doctor: what is done to a data directory by who sits at it.
// Results go to stdout, what is wrong to stderr.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "common/status.h"

namespace mozgach {

// Returns the exit code, or the error that decides it.
using UpkeepCommand = std::function<absl::StatusOr<int>()>;

// When one of them is asked for, `*command` becomes what it does.
void AddUpkeepCommands(CLI::App& app, UpkeepCommand* command);

}  // namespace mozgach
