#include "common/command_line.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

constexpr size_t kShownBytes = 80;

void AddFlagsOf(const CLI::App& app, std::vector<std::string>& flags) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
}

}  // namespace

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
  return absl::StrCat("`", path, is_flag ? "` has no flag '" : "` has no use for '",
                      Abbreviate(word, kShownBytes), "'; ",
                      near.empty() ? "" : absl::StrCat("did you mean '", near, "'?  "), "`", path,
                      " --help` lists what it takes");
}

}  // namespace mozgach
