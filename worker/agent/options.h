// WorkerOptions: what a person says on the command line or in the file of --config.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "worker/transfer/data_rules.h"

namespace mozgach {

struct WorkerOptions {
  std::string scheduler;            // HOST:PORT or unix:PATH
  std::filesystem::path tls;        // security/credentials_folder.h; empty: plaintext
  bool insecure_plaintext = false;  // to and from other hosts
  std::filesystem::path data;
  std::vector<std::filesystem::path> bases;
  std::string name;                  // default: that of the certificate, or the host's
  int64_t threads = 0;               // threads per trainer; 0: all cores
  uint64_t memory_bytes = 0;         // memory per trainer; 0: what is free
  std::vector<std::string> devices;  // devices of the host, by the trainer's names; empty: all
  std::string http;                  // ADDR:PORT; empty: no listener
  std::vector<std::string> http_allowed_hosts;  // common/web/web_hosts.h
  Milliseconds trainer_silence{1'800'000};      // session.h; 0: a silent trainer is left alone
  std::filesystem::path trainer;                // default: mozgach-trainer beside this program
  DataRules rules;
};

// Reads the command line, then the file it names with --config: YAML with the same names as the
// flags, which win over it.  nullopt: --help or --version was asked for and printed.
// INVALID_ARGUMENT says what is wrong and what would be right.
absl::StatusOr<std::optional<WorkerOptions>> ReadWorkerOptions(int argc, const char* const* argv);

}  // namespace mozgach
