// check_invariants DATA [--at-rest] [--clock-jumped]
//
// Whether what has to hold does, in the data folder of a scheduler that is not running (or in a
// copy of one).  A line for each thing that does not; leaves with 1 then, with 2 when it cannot
// look.
#include <cstdio>
#include <filesystem>

#include "CLI/CLI.hpp"
#include "tests/invariants/invariants.h"

int main(int argc, char** argv) {
  std::filesystem::path data;
  bool at_rest = false;
  bool clock_jumped = false;
  CLI::App app("What has to hold of a fleet, read from its scheduler's data.");
  app.add_option("DATA", data, "the scheduler's --data")->required()->check(CLI::ExistingDirectory);
  app.add_flag("--at-rest", at_rest, "and nothing is left to do");
  app.add_flag("--clock-jumped", clock_jumped, "times cannot be compared");
  CLI11_PARSE(app, argc, argv);
  if (!std::filesystem::exists(data / "mozgach.db")) {
    std::fprintf(stderr, "%s has no mozgach.db\n", data.c_str());
    return 2;
  }
  auto database = mozgach::Database::Open((data / "mozgach.db").string());
  if (!database.ok()) {
    std::fprintf(stderr, "%s\n", std::string(database.status().message()).c_str());
    return 2;
  }
  mozgach::Invariants invariants(data / "registry", {.back_off_ms = clock_jumped ? 0 : 1000});
  const auto problems = at_rest ? invariants.CheckAtRest(**database) : invariants.Check(**database);
  for (const std::string& problem : problems) std::printf("%s\n", problem.c_str());
  return problems.empty() ? 0 : 1;
}
