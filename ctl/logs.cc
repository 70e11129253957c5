// mozgachctl logs: what the trainer wrote.
#include <cstdio>

#include "ctl/command.h"
#include "ctl/message_json.h"
#include "ctl/selection.h"
#include "ctl/terminal.h"

namespace mozgach {
namespace {

struct LogFlags {
  std::string job;
  int64_t attempt = 0;
  bool follow = false;
};

// Writes log bytes to stdout: one JSON object per line; as they are into a file or a pipe; and to a
// terminal, which what a worker says must not steer, line by line without control characters.
class LogPrinter {
 public:
  explicit LogPrinter(bool json) : json_(json), raw_(!json && !TerminalOf(stdout).is_terminal) {}
  ~LogPrinter() {
    if (!line_.empty()) PrintLine("");
  }

  void Print(const std::string& data) {
    if (raw_) {
      std::fwrite(data.data(), 1, data.size(), stdout);
    } else {
      for (const char c : data) {
        if (c != '\n') line_ += c;
        if (c == '\n' || line_.size() >= kLineBytesMax) PrintLine("\n");
      }
    }
    std::fflush(stdout);
  }

 private:
  static constexpr size_t kLineBytesMax = 1 << 20;

  void PrintLine(const char* end) {
    if (json_) {
      std::printf("%s\n", DumpLine({{"line", line_}}).c_str());
    } else {
      std::printf("%s%s", Harmless(line_).c_str(), end);
    }
    line_.clear();
  }

  const bool json_;
  const bool raw_;
  std::string line_;
};

// One call, from request->offset() on, which moves on with what was printed.
grpc::Status Stream(Connection& connection, v1::LogsRequest* request, LogPrinter* printer) {
  grpc::ClientContext context;
  // Made anew after this long, so that a scheduler that went without a word is noticed.
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  const auto stream = connection.jobs().Logs(&context, *request);
  v1::LogsResponse response;
  while (stream->Read(&response)) {
    printer->Print(response.data());
    request->set_offset(request->offset() + response.data().size());
  }
  return stream->Finish();
}

absl::StatusOr<int> Logs(const LogFlags& flags, const Settings& settings) {
  ASSIGN_OR_RETURN(const JobName name, ParseJobName(flags.job));
  v1::LogsRequest request;
  request.set_job(name.job);
  request.set_domain(name.domain);
  request.set_attempt(flags.attempt);
  request.set_follow(flags.follow);
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  LogPrinter printer(settings.json);
  for (;;) {
    const grpc::Status status = Stream(*connection, &request, &printer);
    if (status.ok()) return 0;
    if (status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED &&
        status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      return connection->Explain(status);
    }
    RETURN_IF_ERROR(connection->WaitUntilUp());
  }
}

}  // namespace

void AddLogsCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<LogFlags>();
  CLI::App* logs = app.add_subcommand("logs", "Print what the trainer wrote during an attempt");
  logs->add_option("JOB", flags->job, "A job's number, or a domain")->required();
  logs->add_option("--attempt", flags->attempt, "Which attempt; the latest where left out")
      ->check(CLI::PositiveNumber);
  logs->add_flag("-f,--follow", flags->follow, "Go on until the attempt is over");
  logs->callback([flags, command] {
    *command = [flags](const Settings& settings) { return Logs(*flags, settings); };
  });
}

}  // namespace mozgach
