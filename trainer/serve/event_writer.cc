#include "trainer/serve/event_writer.h"

#include <string>

#include "common/mutex.h"
#include "nlohmann/json.hpp"

namespace mozgach {

void EventWriter::Write(const nlohmann::json& event) {
  const std::string line =
      event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const MutexLock lock(mutex_);
  out_.write(line.data(), static_cast<std::streamsize>(line.size()));
  out_.flush();
}

}  // namespace mozgach
