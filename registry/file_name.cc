#include "registry/file_name.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

absl::Status Refused(std::string_view path, const char* reason) {
  const std::string shown = absl::CHexEscape(std::string(path.substr(0, 80)));
  return absl::InvalidArgumentError(absl::StrCat("file name '", shown, "' ", reason));
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Some disks fold letters, normalise Unicode, or do not have these characters: there a file would
// come back under another name, or not at all.
absl::Status CheckPortable(std::string_view path) {
  if (!std::all_of(path.begin(), path.end(), absl::ascii_isascii)) {
    return Refused(path, "is not plain ASCII, and some disks would change it");
  }
  if (path.find_first_of("<>:\"|?*") != path.npos) {
    return Refused(path, "has one of the characters <>:\"|?*, which some disks do not have");
  }
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(path.data(), path.size()), '/')) {
    if (part.back() == '.' || part.back() == ' ') {
      return Refused(path, "has a part that ends in a point or a space, which some disks drop");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRelativePath(std::string_view path) {
  if (path.empty()) return Refused(path, "is empty");
  if (path.size() > kPathBytesMax) return Refused(path, "is longer than 512 bytes");
  if (std::any_of(path.begin(), path.end(), IsControl)) {
    return Refused(path, "has a control character in it");
  }
  // manifest.json could not name it.
  if (FirstInvalidUtf8(path) != std::string_view::npos) return Refused(path, "is not UTF-8");
  if (path.find('\\') != std::string_view::npos) return Refused(path, "has a backslash in it");
  size_t parts = 0;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(path.data(), path.size()), '/')) {
    if (++parts > kPathPartsMax) return Refused(path, "is deeper than 8 parts");
    if (part.empty()) return Refused(path, "is not relative, or has an empty part");
    if (part == "." || part == "..") return Refused(path, "has a '.' or '..' part");
    if (part.size() > kPathPartBytesMax) return Refused(path, "has a part longer than 255 bytes");
  }
  return absl::OkStatus();
}

absl::Status CheckAliasName(std::string_view alias) {
  const auto plain = [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-';
  };
  const bool well_formed = !alias.empty() && alias.size() <= 63 && alias[0] != '_' &&
                           alias[0] != '-' && std::all_of(alias.begin(), alias.end(), plain);
  const std::string_view number = alias.substr(!alias.empty() && alias[0] == 'v' ? 1 : 0);
  const bool like_a_version = std::all_of(number.begin(), number.end(), absl::ascii_isdigit);
  if (well_formed && !like_a_version) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("alias '", absl::CHexEscape(std::string(alias.substr(0, 80))),
                   "' is none: use small letters, digits, '_' and '-', and nothing like 'v7'"));
}

absl::Status CheckAdapterFile(std::string_view path) {
  static constexpr std::string_view kData[] = {".safetensors", ".gguf", ".json",  ".jsonl",
                                               ".md",          ".txt",  ".jinja", ".model"};
  RETURN_IF_ERROR(CheckRelativePath(path));
  RETURN_IF_ERROR(CheckPortable(path));
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  const std::string_view ending = dot == name.npos ? "" : name.substr(dot);
  if (std::find(std::begin(kData), std::end(kData), ending) != std::end(kData)) {
    return absl::OkStatus();
  }
  return Refused(path,
                 "is not a file of an adapter: weights are .safetensors or .gguf, the rest .json, "
                 ".jsonl, .md, .txt, .jinja or .model");
}

}  // namespace mozgach
