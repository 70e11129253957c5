#include "ctl/display/transfer_display.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "common/size_text.h"
#include "common/terminal_text.h"
#include "ctl/display/job_table.h"
#include "ctl/display/table.h"
#include "ctl/local/terminal.h"

namespace mozgach {
namespace {

constexpr uint64_t kWorthShowing = UINT64_C(1) << 24;
constexpr Milliseconds kRedrawEvery{100};
constexpr Milliseconds kLineEvery{5'000};

}  // namespace

TransferDisplay::TransferDisplay(const std::string& what, uint64_t bytes)
    : bytes_(bytes), said_at_(Clock::System().SinceBoot()) {
  std::fprintf(stderr, "%s\n", EscapeControls(what).c_str());
}

TransferDisplay::~TransferDisplay() {
  if (live_) std::fprintf(stderr, "\r\x1b[K");
}

void TransferDisplay::Add(uint64_t bytes) {
  done_ += bytes;
  if (bytes_ < kWorthShowing) return;
  const Terminal terminal = TerminalOf(stderr);
  const Milliseconds now = Clock::System().SinceBoot();
  if (now < said_at_ + (terminal.is_terminal ? kRedrawEvery : kLineEvery)) return;
  said_at_ = now;
  const std::string line = absl::StrCat(FormatSize(done_), " of ", FormatSize(bytes_));
  if (terminal.is_terminal) {
    live_ = true;
    std::fprintf(stderr, "\r%s\x1b[K", Clip(line, terminal.width - 1).c_str());
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

}  // namespace mozgach
