#include "common/command_line.h"

#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/terminal_text.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

constexpr size_t kShownBytes = 80;

void AddFlagsOf(const CLI::App& app, std::vector<std::string>& flags) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
}

void RejectEmptyValues(CLI::App& app, const std::set<std::string>& may_be_empty) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_expected_max() == 0 || may_be_empty.count(option->get_name()) > 0) continue;
    // transform() puts it before the option's own checks, whose words are about values.
    option->transform(CLI::Validator(
        [](std::string& value) {
          return value.empty() ? std::string("the value is empty; give one, or leave it out") : "";
        },
        ""));
  }
  for (CLI::App* verb : app.get_subcommands(nullptr)) RejectEmptyValues(*verb, may_be_empty);
}

// CLI11 would take the next word for the value of "--tls=".
void RejectEmptyAssignments(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") return;
    if (word.size() > 3 && word.substr(0, 2) == "--" && word.find('=') == word.size() - 1) {
      throw CLI::ValidationError(std::string(word.substr(0, word.size() - 1)),
                                 "the value is empty; give one, or leave it out");
    }
  }
}

}  // namespace

void ParseCommandLine(CLI::App& program, int argc, const char* const* argv,
                      const std::set<std::string>& may_be_empty) {
  RejectEmptyValues(program, may_be_empty);
  RejectEmptyAssignments(argc, argv);
  program.parse(argc, argv);
}

std::string AboutCommandLine(const CLI::App& program, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return EscapeControls(AboutUnknownWord(program));
  }
  std::string path = program.get_name();
  for (const CLI::App* app = &program; !app->get_subcommands().empty();) {
    app = app->get_subcommands().front();
    absl::StrAppend(&path, " ", app->get_name());
  }
  return absl::StrCat(EscapeControls(error.what()), "; `", path, " --help` says more");
}

std::string AboutUnknownWord(const CLI::App& program) {
  const CLI::App* app = &program;
  std::string path = app->get_name();
  std::vector<std::string> flags;
  AddFlagsOf(*app, flags);
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    absl::StrAppend(&path, " ", app->get_name());
    AddFlagsOf(*app, flags);
  }
  const std::vector<std::string> rest = program.remaining(true);
  const std::string word = rest.empty() ? "" : rest[0].substr(0, rest[0].find('='));
  const bool is_flag = word.rfind('-', 0) == 0;
  const std::string near = is_flag ? NearestName(word, flags) : "";
  return absl::StrCat("`", path, is_flag ? "` has no flag '" : "`: unexpected argument '",
                      Abbreviate(word, kShownBytes), "'; ",
                      near.empty() ? "" : absl::StrCat("did you mean '", near, "'?  "), "`", path,
                      " --help` lists what it takes");
}

}  // namespace mozgach
