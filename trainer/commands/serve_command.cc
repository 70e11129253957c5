#include <iostream>
#include <memory>

#include "trainer/commands/commands.h"
#include "trainer/commands/model_flags.h"
#include "trainer/serve/trainer_service.h"

namespace mozgach {

void AddServeCommand(CLI::App& app, Command* command) {
  auto threads = std::make_shared<int>(0);
  CLI::App* serve = app.add_subcommand(
      "serve", "train what is asked on stdin, one JSON object per line (what the worker runs)");
  AddThreadsFlag(*serve, threads.get());
  serve->callback([=] {
    *command = [threads] {
      std::ios::sync_with_stdio(false);
      TrainerService(std::cin, std::cout, UseThreads(*threads)).Run();
      return absl::OkStatus();
    };
  });
}

}  // namespace mozgach
