// mozgachctl logs: what the trainer wrote.
#include <chrono>
#include <cstdio>
#include <thread>

#include "ctl/client/reconnection.h"
#include "ctl/client/selection.h"
#include "ctl/commands/command.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"
#include "ctl/local/terminal.h"

namespace mozgach {
namespace {

constexpr std::chrono::milliseconds kUntilNextAttempt{500};
constexpr std::chrono::milliseconds kLastWords{1000};

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

// Reads the logs of one job's attempts, each byte once, also when the scheduler restarts meanwhile.
class LogReader {
 public:
  LogReader(Connection& connection, Milliseconds timeout, LogPrinter& printer)
      : connection_(connection), caller_(connection, timeout), printer_(printer) {}

  // Prints one log from request->offset() on, which moves on with what was printed; where the
  // request follows, until its attempt is over.
  absl::Status Read(v1::LogsRequest* request);
  // Prints the latest attempt of a job, and those that come after it, until the job is over.
  absl::Status Follow(int64_t job);
  // The number of a job that may be named by its domain.
  absl::StatusOr<int64_t> NumberOf(const JobName& name);

 private:
  // One call.
  grpc::Status Stream(v1::LogsRequest* request, bool* answered);
  absl::StatusOr<v1::Job> Get(int64_t job);

  Connection& connection_;
  PatientCaller caller_;
  LogPrinter& printer_;
};

grpc::Status LogReader::Stream(v1::LogsRequest* request, bool* answered) {
  grpc::ClientContext context;
  // Made again after this long, so that a scheduler that went without a word is noticed.
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  const auto stream = connection_.jobs().Logs(&context, *request);
  v1::LogsResponse response;
  while (stream->Read(&response)) {
    caller_.Answered();
    *answered = true;
    printer_.Print(response.data());
    request->set_offset(request->offset() + response.data().size());
  }
  return stream->Finish();
}

absl::Status LogReader::Read(v1::LogsRequest* request) {
  for (;;) {
    bool answered = false;
    const grpc::Status status = Stream(request, &answered);
    if (status.ok()) {
      caller_.Answered();
      return absl::OkStatus();
    }
    const bool quiet = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    // A trainer may have nothing to say for a minute: the scheduler is asked for a sign of life.
    if (quiet && !answered) RETURN_IF_ERROR(Get(request->job()).status());
    if (!quiet) RETURN_IF_ERROR(caller_.Await(status));
  }
}

absl::StatusOr<v1::Job> LogReader::Get(int64_t job) {
  v1::GetRequest request;
  request.set_job(job);
  return caller_.Call(&v1::JobService::Stub::Get, request);
}

absl::StatusOr<int64_t> LogReader::NumberOf(const JobName& name) {
  if (name.job > 0) return name.job;
  v1::ListRequest request;
  request.mutable_selector()->add_domains(name.domain);
  ASSIGN_OR_RETURN(const v1::ListResponse response,
                   caller_.Call(&v1::JobService::Stub::List, request));
  if (response.jobs().empty()) return absl::NotFoundError("no job of a domain " + name.domain);
  return response.jobs(0).job();
}

absl::Status LogReader::Follow(int64_t job) {
  v1::LogsRequest request;
  request.set_job(job);
  request.set_follow(true);
  for (;;) {
    ASSIGN_OR_RETURN(const v1::Job now, Get(job));
    // A job that is over without an attempt has no log: the scheduler says why.
    if (now.attempt() == 0 && IsOver(now)) return Read(&request);
    if (now.attempt() > request.attempt()) {
      // The latest at first, later each, also one that began and ended while the scheduler was
      // away.
      request.set_attempt(request.attempt() == 0 ? now.attempt() : request.attempt() + 1);
      request.set_offset(0);
      RETURN_IF_ERROR(Read(&request));
      // The worker's last words come after the end of the attempt.
      std::this_thread::sleep_for(kLastWords);
      RETURN_IF_ERROR(Read(&request));
      continue;
    }
    if (IsOver(now)) return absl::OkStatus();
    std::this_thread::sleep_for(kUntilNextAttempt);
  }
}

absl::StatusOr<int> Logs(const LogFlags& flags, const Settings& settings) {
  ASSIGN_OR_RETURN(const JobName name, ParseJobName(flags.job));
  ASSIGN_OR_RETURN(const auto connection, settings.Connect());
  LogPrinter printer(settings.json);
  LogReader reader(*connection, settings.reconnect_for, printer);
  v1::LogsRequest request;
  request.set_job(name.job);
  request.set_domain(name.domain);
  if (flags.follow) {
    ASSIGN_OR_RETURN(const int64_t job, reader.NumberOf(name));
    request.set_job(job);
  }
  if (flags.follow && flags.attempt == 0) {
    RETURN_IF_ERROR(reader.Follow(request.job()));
    return 0;
  }
  request.set_attempt(flags.attempt);
  request.set_follow(flags.follow);
  RETURN_IF_ERROR(reader.Read(&request));
  return 0;
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
