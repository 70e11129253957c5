#include "common/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/terminal_text.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

// The message, with what a terminal would obey and what would begin another line written out.
class EscapedMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string line = EscapeLine({message.payload.data(), message.payload.size()});
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<EscapedMessage>();
  }
};

std::unique_ptr<spdlog::formatter> LineFormatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<EscapedMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %n: %*");
  return formatter;
}

std::atomic<bool> started{false};

constexpr std::pair<std::string_view, spdlog::level::level_enum> kLevels[] = {
    {"trace", spdlog::level::trace}, {"debug", spdlog::level::debug},
    {"info", spdlog::level::info},   {"warn", spdlog::level::warn},
    {"error", spdlog::level::err},   {"critical", spdlog::level::critical},
    {"off", spdlog::level::off},     {"warning", spdlog::level::warn},
    {"err", spdlog::level::err}};

absl::StatusOr<spdlog::level::level_enum> LevelOfEnvironment() {
  const char* value = std::getenv("MOZGACH_LOG");
  if (value == nullptr || *value == '\0') return spdlog::level::info;
  const std::string wanted = absl::AsciiStrToLower(value);
  for (const auto& [name, level] : kLevels) {
    if (wanted == name) return level;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "MOZGACH_LOG is '", Showable(Abbreviate(value, 80)),
      "', which is not a log level; use trace, debug, info, warn, error, critical or off"));
}

}  // namespace

absl::Status StartLog(std::string_view program) {
  ASSIGN_OR_RETURN(const spdlog::level::level_enum level, LevelOfEnvironment());
  auto logger = std::make_shared<spdlog::logger>(std::string(program),
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(LineFormatter());
  logger->flush_on(spdlog::level::info);
  logger->set_level(level);
  spdlog::set_default_logger(std::move(logger));
  started = true;
  return absl::OkStatus();
}

absl::Status CheckLogLevel() { return LevelOfEnvironment().status(); }

void LogInfo(std::string_view line) { spdlog::info("{}", line); }

void LogActivity(std::string_view line) {
  if (!started) return;
  std::string shown = Showable(line);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  spdlog::info("{}", shown);
}

}  // namespace mozgach
