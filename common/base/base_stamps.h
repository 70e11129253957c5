// BaseStamps tell whether the files of a base are still what they were, without reading them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "common/file_stamp.h"
#include "common/status.h"

namespace mozgach {

class BaseStamps {
 public:
  BaseStamps() = default;

  // Looks at the files by which a base is read (*.json, *.safetensors, *.jinja, *.model, *.txt) in
  // `directory` and in additional_chat_templates/ there; links are followed.
  static BaseStamps Of(const std::filesystem::path& directory);

  // The name of a file that is new, gone or changed in `now`; "" when there is none.
  std::string FirstChange(const BaseStamps& now) const;

  // The name of a weight file that was changed in place: what is mapped into memory changed with
  // it.
  std::string FirstChangeInPlace(const BaseStamps& now) const;

  // SHA-256 over names and contents of the files that are not weights: tokenizer, templates and
  // configuration.  Reads them.
  absl::StatusOr<std::string> TextDigest() const;

 private:
  void Add(const std::filesystem::path& directory, const std::string& prefix);

  std::filesystem::path directory_;
  std::map<std::string, FileStamp> stamps_;  // by name, relative to the directory
};

}  // namespace mozgach
