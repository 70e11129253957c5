// Reads a base's chat template from its files.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "common/status.h"

namespace mozgach {

struct TemplateFiles {
  std::optional<std::string> source;  // nullopt if the base has no chat template
  std::string path;                   // the file that `source` is from, for messages
  std::map<std::string, std::string> special_tokens;  // bos_token, eos_token, … (declared_tokens.h)
};

// Reads chat_template.jinja, tokenizer_config.json and the files of declared_tokens.h in
// `base_dir`. Every file may be missing. From a list of templates the one named "default" is used,
// as in transformers. INVALID_ARGUMENT "path: what" if a file is malformed.
absl::StatusOr<TemplateFiles> ReadTemplateFiles(const std::filesystem::path& base_dir);

}  // namespace mozgach
