#include "ctl/display/job_display.h"

#include "absl/strings/str_cat.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"

namespace mozgach {
namespace {

class LiveTable : public JobDisplay {
 public:
  explicit LiveTable(std::FILE* stream) : stream_(stream) {}

  void Show(const std::vector<v1::Job>& jobs, const std::vector<v1::Job>&) override {
    jobs_ = jobs;
    Draw();
  }

  // While the scheduler is away, the first line says so instead of showing the summary.
  void Away(const std::string& waiting) override {
    if (!TerminalOf(stderr).is_terminal) JobDisplay::Away(waiting);
    waiting_ = waiting;
    Draw();
  }

  void Back(const std::string& sentence) override {
    if (!TerminalOf(stderr).is_terminal) JobDisplay::Back(sentence);
    waiting_.clear();
    Draw();
  }

  void Clear() override {
    Write(absl::StrCat(Home(), "\x1b[J"));
    drawn_ = 0;
  }

 private:
  void Draw() {
    const Terminal terminal = TerminalOf(stream_);
    std::vector<std::string> lines = LiveLines(jobs_, terminal);
    if (!waiting_.empty()) lines[0] = Clip(waiting_, terminal.width);
    std::string frame = Home();
    for (const std::string& line : lines) absl::StrAppend(&frame, line, "\x1b[K\n");
    absl::StrAppend(&frame, "\x1b[J");
    Write(frame);
    drawn_ = lines.size();
  }

  std::string Home() const { return drawn_ == 0 ? "\r" : absl::StrCat("\x1b[", drawn_, "A\r"); }

  // Writes the frame in one call, so that the terminal does not show half of it.
  void Write(const std::string& frame) {
    std::fwrite(frame.data(), 1, frame.size(), stream_);
    std::fflush(stream_);
  }

  std::FILE* stream_;
  std::vector<v1::Job> jobs_;
  std::string waiting_;
  size_t drawn_ = 0;
};

class ChangeLines : public JobDisplay {
 public:
  explicit ChangeLines(std::FILE* stream) : stream_(stream) {}

  void Show(const std::vector<v1::Job>&, const std::vector<v1::Job>& changed) override {
    for (const v1::Job& job : changed) {
      if (filter_.IsNews(job)) std::fprintf(stream_, "%s\n", OneLine(job).c_str());
    }
    std::fflush(stream_);
  }

 private:
  std::FILE* stream_;
  ChangeFilter filter_;
};

class JsonLines : public JobDisplay {
 public:
  explicit JsonLines(std::FILE* stream) : stream_(stream) {}

  void Show(const std::vector<v1::Job>&, const std::vector<v1::Job>& changed) override {
    for (const v1::Job& job : changed) {
      const std::string line = DumpLine(ToJson(job));
      std::fprintf(stream_, "%s\n", line.c_str());
    }
    std::fflush(stream_);
  }

 private:
  std::FILE* stream_;
};

}  // namespace

std::unique_ptr<JobDisplay> JobDisplay::For(std::FILE* stream) {
  if (TerminalOf(stream).is_terminal) return std::make_unique<LiveTable>(stream);
  return std::make_unique<ChangeLines>(stream);
}

std::unique_ptr<JobDisplay> JobDisplay::Json(std::FILE* stream) {
  return std::make_unique<JsonLines>(stream);
}

std::vector<std::string> LiveLines(const std::vector<v1::Job>& jobs, const Terminal& terminal) {
  const std::vector<v1::Job> sorted = ByUrgency(jobs);
  std::vector<std::string> lines = {Clip(Summary(jobs), terminal.width)};
  std::vector<std::string> rows = JobTable(sorted).Render(terminal);
  const size_t room = terminal.height < 6 ? 4 : static_cast<size_t>(terminal.height) - 2;
  const bool all = terminal.height == 0 || rows.size() <= room;
  const size_t shown = all ? rows.size() : room - 1;
  lines.insert(lines.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown));
  if (!all) {
    // `rows` includes the title line, and so does `shown`.
    lines.push_back(Clip(absl::StrCat("… and ", rows.size() - shown, " more"), terminal.width));
  }
  return lines;
}

bool ChangeFilter::IsNews(const v1::Job& job) {
  const int64_t quarter = job.steps() > 0 ? job.step() * 4 / job.steps() : 0;
  std::string now = absl::StrCat(job.state(), "\n", job.phase(), "\n", job.worker(), "\n",
                                 job.attempt(), "\n", job.cancel_requested(), "\n", quarter, "\n",
                                 job.state() == "running" ? "" : job.reason());
  std::string& last = last_[job.job()];
  if (now == last) return false;
  last = std::move(now);
  return true;
}

}  // namespace mozgach
