// The commands of mozgachctl (DESIGN.md, "The commands").  Each Add…() registers one or more with
// their flags; when one is asked for, `*command` becomes what it does.
//
// Results go to stdout, progress and messages to stderr.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "common/status.h"
#include "ctl/connection.h"

namespace mozgach {

// What stands beside every command.
struct Settings {
  std::string scheduler = "127.0.0.1:7108";
  std::string tls;    // credentials_folder.h
  std::string token;  // of MOZGACH_TOKEN only: what stands on a command line, others see
  std::string token_file;
  bool insecure_plaintext = false;
  bool json = false;
  // How long a command that follows something waits for a scheduler that went away.
  Milliseconds reconnect_for{600'000};

  // UNAVAILABLE, with what to try, after `patience` without an answer; INVALID_ARGUMENT for a door
  // that one should not go through (security/channel.h).
  absl::StatusOr<std::unique_ptr<Connection>> Connect(
      Milliseconds patience = Connection::kPatience) const;
};

// Returns the exit code, or the error that decides it.
using Command = std::function<absl::StatusOr<int>(const Settings&)>;

void AddSubmitCommand(CLI::App& app, Command* command);
void AddPlanCommand(CLI::App& app, Command* command);
void AddJobCommands(CLI::App& app, Command* command);  // ps, cancel, retry, explain
void AddWatchCommand(CLI::App& app, Command* command);
void AddLogsCommand(CLI::App& app, Command* command);
void AddFleetCommands(CLI::App& app, Command* command);    // workers, drain, events
void AddAdapterCommands(CLI::App& app, Command* command);  // adapters ls|show|pull|verify|alias
void AddBaseCommands(CLI::App& app, Command* command);     // bases ls|add|verify
void AddDoorCommands(CLI::App& app, Command* command);     // fleet init|worker|token|…

void AddUpkeepCommands(CLI::App& app, Command* command);  // doctor, gc

}  // namespace mozgach
