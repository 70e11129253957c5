#include "worker/trainer/chat_inspector.h"

#include <utility>

#include "trainer/data/chat_report.h"

namespace mozgach {

ChatReport ChatInspector::Inspect(const std::filesystem::path& directory) {
  const absl::MutexLock lock(&mutex_);
  BaseStamps stamps = BaseStamps::Of(directory);
  const auto [known, is_new] = known_.try_emplace(directory);
  if (!is_new && known->second.stamps.FirstChange(stamps).empty()) return known->second.report;
  known->second = {std::move(stamps), InspectChat(directory)};
  return known->second.report;
}

}  // namespace mozgach
