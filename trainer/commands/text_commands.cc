#include <iostream>
#include <memory>
#include <string>

#include "trainer/commands/commands.h"
#include "trainer/commands/model_flags.h"
#include "trainer/commands/render_command.h"
#include "trainer/commands/tokenize_command.h"

namespace mozgach {

void AddTokenizeCommand(CLI::App& app, Command* command) {
  auto base = std::make_shared<std::string>();
  CLI::App* tokenize = app.add_subcommand(
      "tokenize", "stdin: a JSON string per line; stdout: a JSON array of ids per line");
  AddBaseFlag(*tokenize, base.get());
  tokenize->callback([=] {
    *command = [base] {
      std::ios::sync_with_stdio(false);
      return RunTokenize(*base, std::cin, std::cout);
    };
  });
}

void AddRenderCommand(CLI::App& app, Command* command) {
  auto base = std::make_shared<std::string>();
  CLI::App* render = app.add_subcommand(
      "render", "stdin: {\"messages\": […], …} per line; stdout: a JSON string per line");
  AddBaseFlag(*render, base.get());
  render->callback([=] { *command = [base] { return RunRender(*base, std::cin, std::cout); }; });
}

}  // namespace mozgach
