#include "common/log.h"

#include <spdlog/sinks/stdout_sinks.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace mozgach {

void StartLog(std::string_view program) {
  auto logger = std::make_shared<spdlog::logger>(
      std::string(program), std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %n: %v");
  logger->flush_on(spdlog::level::info);
  const char* level = std::getenv("MOZGACH_LOG");
  logger->set_level(spdlog::level::from_str(level == nullptr ? "info" : level));
  spdlog::set_default_logger(std::move(logger));
}

void LogInfo(std::string_view line) { spdlog::info("{}", line); }

}  // namespace mozgach
