// What a base's files say about its chat template.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "common/status.h"

namespace mozgach {

struct TemplateFiles {
  std::optional<std::string> source;                  // none: the base has no chat template
  std::string path;                                   // where `source` stands, for messages
  std::map<std::string, std::string> special_tokens;  // bos_token, eos_token, … (declared_tokens.h)
};

// Reads chat_template.jinja, tokenizer_config.json and the files of declared_tokens.h below
// `base_dir`; each may be missing.  A
// list of templates is read as transformers does: the one that is named "default". INVALID_ARGUMENT
// "path: what" for a file that is not what it should be.
absl::StatusOr<TemplateFiles> ReadTemplateFiles(const std::filesystem::path& base_dir);

}  // namespace mozgach
