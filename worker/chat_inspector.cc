#include "worker/chat_inspector.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "trainer/data/chat_report.h"

namespace mozgach {
namespace {

constexpr const char* kFiles[] = {"tokenizer.json",          "tokenizer_config.json",
                                  "special_tokens_map.json", "added_tokens.json",
                                  "generation_config.json",  "config.json",
                                  "chat_template.jinja",     "chat_template.json"};

// Size, inode and time of change of every file that decides; a file that is missing counts, too.
std::string StampsOf(const std::filesystem::path& directory) {
  std::string stamps;
  for (const char* name : kFiles) {
    struct stat info {};
    const bool found = ::stat((directory / name).c_str(), &info) == 0;
    if (found) {
      absl::StrAppend(&stamps, info.st_size, ":", info.st_ino, ":", info.st_mtim.tv_sec, ".",
                      info.st_mtim.tv_nsec);
    }
    stamps += ';';
  }
  return stamps;
}

}  // namespace

ChatReport ChatInspector::Inspect(const std::filesystem::path& directory) {
  const absl::MutexLock lock(&mutex_);
  Known& known = known_[directory];
  std::string stamps = StampsOf(directory);
  if (known.stamps == stamps) return known.report;
  known.report = InspectChat(directory);
  known.stamps = std::move(stamps);
  return known.report;
}

}  // namespace mozgach
