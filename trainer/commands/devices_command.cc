#include <iostream>

#include "nlohmann/json.hpp"
#include "trainer/commands/commands.h"
#include "trainer/device/compute_device.h"

namespace mozgach {

void AddDevicesCommand(CLI::App& app, Command* command) {
  CLI::App* devices =
      app.add_subcommand("devices", "what it could compute on here, one JSON object per line");
  devices->callback([=] {
    *command = [] {
      for (const at::Device& device : Devices()) {
        std::cout << nlohmann::json{{"name", device.str()}, {"kind", DeviceKind(device)}}
                  << std::endl;
      }
      return absl::OkStatus();
    };
  });
}

}  // namespace mozgach
