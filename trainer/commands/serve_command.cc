#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "trainer/commands/commands.h"
#include "trainer/commands/model_flags.h"
#include "trainer/device/compute_device.h"
#include "trainer/serve/parent_death.h"
#include "trainer/serve/trainer_service.h"

namespace mozgach {

void AddServeCommand(CLI::App& app, Command* command) {
  auto threads = std::make_shared<int>(0);
  auto device = std::make_shared<std::string>();
  auto memory = std::make_shared<uint64_t>(0);
  auto folders = std::make_shared<std::vector<std::filesystem::path>>();
  CLI::App* serve = app.add_subcommand(
      "serve", "train what is asked on stdin, one JSON object per line (what the worker runs)");
  AddThreadsFlag(*serve, threads.get());
  serve->add_option("--bases", *folders,
                    "folder that holds bases: links within it are followed (repeatable)");
  serve->add_option("--device", *device,
                    "to compute on, by its name in `devices` (default: the first)");
  AddMemoryFlag(*serve, memory.get());
  serve->callback([=] {
    *command = [threads, folders, device, memory]() -> absl::Status {
      if (!device->empty()) RETURN_IF_ERROR(ChooseDevice(*device));
      BoundMemory(static_cast<int64_t>(*memory));
      EndWithParent();
      std::ios::sync_with_stdio(false);
      TrainerService(std::cin, std::cout, UseThreads(*threads), *folders).Run();
      return absl::OkStatus();
    };
  });
}

}  // namespace mozgach
