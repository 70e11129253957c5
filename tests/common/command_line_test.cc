#include "common/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

using ::testing::HasSubstr;

// What a program with a few options says; empty: it is content.
std::string Parse(const std::vector<std::string>& words) {
  CLI::App app("A program", "prog");
  std::string tls, output, file, prompt;
  std::vector<std::string> bases;
  bool flag = false;
  app.add_option("--tls", tls);
  app.add_option("--bases", bases)->delimiter(',');
  app.add_flag("--flag", flag);
  CLI::App* pull = app.add_subcommand("pull");
  pull->add_option("FILE", file);
  pull->add_option("-o,--output", output);
  pull->add_option_group("source")->add_option("--prompt", prompt);
  std::vector<const char*> argv = {"prog"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  try {
    ParseCommandLine(app, static_cast<int>(argv.size()), argv.data(), {"--prompt"});
  } catch (const CLI::ParseError& error) {
    return AboutCommandLine(app, error);
  }
  return "";
}

TEST(CommandLineTest, RejectsEmptyValuesOfEveryOption) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--tls", ""},
                                             {"--tls="},
                                             {"--tls=", "pull"},
                                             {"--bases", ""},
                                             {"--bases", "a", "--bases", ""},
                                             {"pull", ""},
                                             {"pull", "-o", ""},
                                             {"pull", "--output", ""},
                                             {"pull", "--output="}}) {
    EXPECT_THAT(Parse(words), HasSubstr("the value is empty; give one, or leave it out"))
        << ::testing::PrintToString(words);
  }
  EXPECT_EQ(
      Parse({"--tls", "x", "--flag", "--bases", "a,b", "pull", "f", "-o", "y", "--prompt", ""}),
      "");
}

TEST(CommandLineTest, SaysOneSentenceWithoutControlCharacters) {
  EXPECT_EQ(
      Parse({"pull", "--output", ""}),
      "--output: the value is empty; give one, or leave it out; `prog pull --help` says more");
  EXPECT_THAT(Parse({"--tsl\x1b[31m"}), HasSubstr("--tsl\\x1b[31m"));
}

}  // namespace
}  // namespace mozgach
