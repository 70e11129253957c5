// Settings are the flags and environment variables that every command of mozgachctl has.
#pragma once

#include <memory>
#include <string>

#include "common/status.h"
#include "ctl/client/connection.h"

namespace mozgach {

// The program's global options.
struct Settings {
  std::string scheduler = "127.0.0.1:7108";
  std::string tls;    // credentials_folder.h
  std::string token;  // from MOZGACH_TOKEN only: other users can see command lines
  std::string token_file;
  bool insecure_plaintext = false;
  bool json = false;
  // How long a command that follows something tries to reconnect to the scheduler.
  Milliseconds reconnect_for{600'000};

  // Connects to the scheduler. UNAVAILABLE, with advice, after `timeout` without an answer.
  // INVALID_ARGUMENT for an insecure endpoint (security/channel.h).
  absl::StatusOr<std::unique_ptr<Connection>> Connect(
      Milliseconds timeout = Connection::kTimeout) const;
};

}  // namespace mozgach
