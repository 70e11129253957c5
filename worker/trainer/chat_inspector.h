// A ChatInspector tells what the chat templates of bases on this host do, each base once.
//
// Reads the tokenizer and the template, up to about a second for a large vocabulary, so it does not
// belong on the session's thread. Templates are rendered with the bounds of trainer/chat.
// Thread-safe.
#pragma once

#include <filesystem>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/base_stamps.h"
#include "common/base/chat_report.h"

namespace mozgach {

class ChatInspector {
 public:
  // The facts of the base in `directory`, from memory if its files are still the ones that were
  // read.
  ChatReport Inspect(const std::filesystem::path& directory);

 private:
  struct Known {
    BaseStamps stamps;  // stamps of the files that were read
    ChatReport report;
  };

  absl::Mutex mutex_;
  std::map<std::filesystem::path, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mozgach
