// docs/domain_file.md names every key and its default: what people read is what holds.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/dataset/row_keys.h"
#include "common/domain/domain_spec.h"
#include "common/files.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Defaults = std::map<std::string, std::string>;

void Collect(const nlohmann::json& json, const std::string& prefix, Defaults& defaults) {
  for (const auto& [key, value] : json.items()) {
    const std::string name = absl::StrCat(prefix, key);
    if (value.is_object() && !value.empty()) {
      Collect(value, name + ".", defaults);
    } else if (value.is_null() || value.empty() || value == "") {
      defaults[name] = "—";
    } else {
      defaults[name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
}

Defaults InCode() {
  Defaults defaults;
  Collect(ToJson(DomainSpec()), "", defaults);
  for (const char* key : {"domain", "base", "data.train"}) defaults[key] = "required";
  return defaults;
}

Defaults InDocs(const std::string& text) {
  Defaults defaults;
  std::istringstream lines(text);
  const std::regex row("^\\| `([a-z0-9_.]+)` \\| `?([^|`]*[^|` ])`? \\|.*$");
  std::smatch found;
  for (std::string line; std::getline(lines, line) && line != "## What a submit says";) {
    if (std::regex_match(line, found, row)) defaults[found[1]] = found[2];
  }
  return defaults;
}

std::string ReadPage() {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  EXPECT_NE(source, nullptr);
  const auto text = ReadFile(std::filesystem::path(source ? source : "") / "docs/domain_file.md");
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}

TEST(DomainDocsTest, EveryKeyAndItsDefaultIsThere) { EXPECT_EQ(InDocs(ReadPage()), InCode()); }

// "`a` `b`".
std::string InBackticks(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    absl::StrAppend(&text, text.empty() ? "" : " ", "`", name, "`");
  }
  return text;
}

TEST(DomainDocsTest, KeysOfRowsAreThoseThatAreRead) {
  const std::string page = ReadPage();
  for (const char* name : {"alpaca", "messages", "prompt_completion", "sharegpt", "text"}) {
    const RowFormat format = *ParseRowFormat(name);
    const std::string turns = InBackticks(TurnKeys(format));
    const std::string line = absl::StrCat("| ", name, " | ", InBackticks(RowKeys(format)), " |",
                                          turns.empty() ? "" : " ", turns, " |\n");
    EXPECT_NE(page.find(line), std::string::npos) << line;
  }
  EXPECT_NE(page.find("switches " + InBackticks(TrainKeys()) + ","), std::string::npos);
}

TEST(DomainDocsTest, RejectedKeysAreThere) {
  const std::string page = ReadPage();
  for (const RejectedKeys& rejected : AllRejectedKeys()) {
    const std::string line = absl::StrCat("| ", InBackticks(rejected.names), " | ");
    EXPECT_NE(page.find(line), std::string::npos) << line;
  }
}

TEST(ExampleDomainsTest, EveryOneIsRead) {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "MOZGACH_SOURCE_DIR is not set";
  int read = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(source) / "domains")) {
    if (entry.path().extension() != ".yaml") continue;
    const auto file = ReadDomainFile(entry.path());
    EXPECT_TRUE(file.ok()) << file.status();
    if (!file.ok()) continue;
    EXPECT_EQ(file->spec.domain, entry.path().stem().string());
    ++read;
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace mozgach
