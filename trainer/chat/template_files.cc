#include "trainer/chat/template_files.h"

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "trainer/tokenizer/declared_tokens.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr uint64_t kTemplateBytes = uint64_t{1} << 20;
constexpr uint64_t kConfigBytes = uint64_t{64} << 20;

absl::StatusOr<Json> ReadConfig(const fs::path& path) {
  absl::StatusOr<std::string> bytes = ReadFile(path, kConfigBytes);
  if (absl::IsNotFound(bytes.status())) return Json::object();
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<Json> config = ParseJson(*bytes);
  if (!config.ok()) return Annotate(config.status(), path.string());
  if (config->is_object()) return config;
  return absl::InvalidArgumentError(absl::StrCat(path.string(), ": must be a JSON object"));
}

absl::StatusOr<std::optional<std::string>> SourceFromConfig(const Json& config) {
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return std::optional<std::string>();
  if (found->is_string()) return std::optional<std::string>(found->get<std::string>());
  const Json entries = found->is_array() ? *found : Json::array();
  for (const Json& entry : entries) {
    if (entry.is_object() && entry.value("name", Json()) == "default" &&
        entry.value("template", Json()).is_string()) {
      return std::optional<std::string>(entry.at("template").get<std::string>());
    }
  }
  return absl::InvalidArgumentError(
      "chat_template is neither text nor a list with one named 'default': name a built-in template "
      "in the domain file, `data.chat_template: chatml`");
}

}  // namespace

absl::StatusOr<TemplateFiles> ReadTemplateFiles(const fs::path& base_dir) {
  const fs::path config_path = base_dir / "tokenizer_config.json";
  const fs::path source_path = base_dir / "chat_template.jinja";
  ASSIGN_OR_RETURN(const Json config, ReadConfig(config_path));
  TemplateFiles files;
  ASSIGN_OR_RETURN(const DeclaredTokens declared, DeclaredTokens::Read(base_dir));
  files.special_tokens = declared.Texts();
  absl::StatusOr<std::string> source = ReadFile(source_path, kTemplateBytes);
  if (source.ok()) {
    files.source = *std::move(source);
    files.path = source_path.string();
    return files;
  }
  if (!absl::IsNotFound(source.status())) return source.status();
  files.path = config_path.string();
  auto from_config = SourceFromConfig(config);
  if (!from_config.ok()) return Annotate(from_config.status(), files.path);
  files.source = *std::move(from_config);
  return files;
}

}  // namespace mozgach
