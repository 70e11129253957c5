// What the scheduler says when nothing can be stored: /health, metrics, the gRPC health service.
#include "scheduler/upkeep/write_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "tests/scheduler/http_get.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// The watch of a core whose files are the test's to damage.
class WriteWatchTest : public Fleet {
 protected:
  WriteWatchTest() {
    data_ = directory_.path() / "data";
    fs::create_directories(data_ / "blobs");
    Fill(Database::Open((data_ / "mozgach.db").string()).value());
    std::ofstream(data_ / "lock");
    executor_ = std::make_unique<CoreExecutor>(*core_, Clock::System());
    WriteWatch::Options options{.data = data_};
    options.kept = {{data_ / "blobs", [this] { return MakeDirectories(data_ / "blobs"); }}};
    options.announce = [this](bool can_write) { announced_ += can_write ? "+" : "-"; };
    options.interval = options.probe_interval = options.read_interval = Milliseconds(20);
    options.quiet_before = Milliseconds(100);
    watch_ = std::make_unique<WriteWatch>(*executor_, Clock::System(), std::move(options));
  }
  ~WriteWatchTest() override { watch_.reset(); }

  static void Fill(const std::unique_ptr<Database>& database) {
    std::string sql = "PRAGMA journal_mode=DELETE; CREATE TABLE rows (text TEXT); BEGIN;";
    for (int i = 0; i < 500; ++i) {
      absl::StrAppend(&sql, "INSERT INTO rows VALUES ('", std::string(100, 'x'), i, "');");
    }
    ASSERT_TRUE(database->Execute(sql + "COMMIT;").ok());
  }
  std::string Problem() {
    return executor_->RunWithoutSync(
        [](Core& core, const Now&) { return core.state().write_problem; });
  }
  // Waits until there is one that says so, or, with "", until there is none.
  bool BecomesProblem(const std::string& text) {
    for (int i = 0; i < 500; ++i) {
      const std::string problem = Problem();
      if (text.empty() ? problem.empty() : problem.find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "'" << Problem() << "' does not become '" << text << "'";
    return false;
  }

  fs::path data_;
  std::string announced_;
  std::unique_ptr<CoreExecutor> executor_;
  std::unique_ptr<WriteWatch> watch_;
};

TEST_F(WriteWatchTest, DiskThatCannotBeWrittenIsFoundWhileNobodyCalls) {
  fs::create_directory(data_ / ".write-probe");  // in the way of its file
  EXPECT_TRUE(BecomesProblem(".write-probe"));
  fs::remove(data_ / ".write-probe");
  EXPECT_TRUE(BecomesProblem(""));
  watch_.reset();
  EXPECT_EQ(announced_, "-+");
  EXPECT_EQ(state().counters.write_problems, 1);
}

TEST_F(WriteWatchTest, DatasetsThatCannotBeStoredAreFound) {
  fs::rename(data_ / "blobs", data_ / "away");
  std::ofstream(data_ / "blobs") << "a file in the way";
  EXPECT_TRUE(BecomesProblem("blobs/.write-probe"));
  fs::remove(data_ / "blobs");  // the watch makes the directory
  EXPECT_TRUE(BecomesProblem(""));
}

TEST_F(WriteWatchTest, FilesThatAreRemovedOrReplacedAreFound) {
  for (const char* name : {"mozgach.db", "lock"}) {
    fs::rename(data_ / name, data_ / "away");
    EXPECT_TRUE(BecomesProblem(absl::StrCat(name, " was removed")));
    std::ofstream(data_ / name) << "another";
    EXPECT_TRUE(BecomesProblem(absl::StrCat(name, " was replaced")));
    fs::rename(data_ / "away", data_ / name);
    EXPECT_TRUE(BecomesProblem(""));
  }
}

TEST_F(WriteWatchTest, DamagedDatabaseIsFound) {
  std::fstream file(data_ / "mozgach.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(8192);
  file << std::string(4096, '\x55');
  file.close();
  EXPECT_TRUE(BecomesProblem("mozgach.db is damaged"));
}

TEST_F(WriteWatchTest, DatabaseOfOtherBytesIsFound) {
  std::fstream file(data_ / "mozgach.db", std::ios::in | std::ios::out | std::ios::binary);
  file << std::string(4096, 'g');
  file.close();
  EXPECT_TRUE(BecomesProblem("mozgach.db is damaged"));
}

TEST_F(WriteWatchTest, FailureOfARequestIsAProblemAtOnce) {
  const std::string page_count = "PRAGMA max_page_count = 1";
  executor_->RunWithoutSync([&](Core& core, const Now& now) {
    EXPECT_TRUE(core.state().database.Execute(page_count).ok());
    for (int i = 0; i < 10'000 && core.state().WhyNotWritable().empty(); ++i) {
      (void)TrySubmit({Domain(absl::StrCat("domain-", i))});
    }
    EXPECT_THAT(core.state().WhyNotWritable(), HasSubstr("full"));
    EXPECT_EQ(core.state().write_error, "") << "nothing but a request has failed";
    EXPECT_TRUE(core.state().database.Execute("PRAGMA max_page_count = 1000000").ok());
    return 0;
  });
  EXPECT_TRUE(BecomesProblem("full"));
  EXPECT_TRUE(BecomesProblem(""));
  EXPECT_EQ(state().WhyNotWritable(), "");
}

TEST_F(WriteWatchTest, DirectoryThatWasRemovedIsMadeAgain) {
  fs::remove(data_ / "blobs");
  for (int i = 0; i < 500 && !fs::exists(data_ / "blobs"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(fs::is_directory(data_ / "blobs"));
}

class HealthTest : public Service {
 protected:
  // Waits for an answer of /health that contains `text`; returns the last one.
  std::string Health(const std::string& text) {
    std::string answer;
    for (int i = 0; i < 1000; ++i) {
      answer = HttpGet(daemon_->http_address(), "/health");
      if (answer.find(text) != std::string::npos) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return answer;
  }
  std::string Metrics() { return HttpGet(daemon_->http_address(), "/metrics"); }
};

// Beyond the limit a file cannot grow, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : before_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_handler_);
  }

 private:
  rlimit before_{};
  void (*before_handler_)(int);
};

TEST_F(HealthTest, RequestThatCannotBeStoredTurnsHealthUntilOthersCan) {
  const v1::Submission domain = Domain("law");
  {
    const FileSizeLimit full(4096);
    DeadlineContext deadline;
    v1::SubmitRequest request;
    *request.add_domains() = domain;
    v1::SubmitResponse response;
    EXPECT_FALSE(jobs_->Submit(deadline, request, &response).ok());
    EXPECT_THAT(HttpGet(daemon_->http_address(), "/health"),
                AllOf(HasSubstr("503"), HasSubstr("mozgach.db")));
    EXPECT_THAT(Metrics(), HasSubstr("mozgach_write_problem 1\n"));
  }
  EXPECT_THAT(Health("200 OK"), HasSubstr("{\"status\":\"ok\"}"));
  EXPECT_THAT(Metrics(), AllOf(HasSubstr("mozgach_write_problem 0\n"),
                               HasSubstr("mozgach_write_problems_total 1\n")));
  SubmitOne("law");
}

TEST_F(HealthTest, RemovedDatabaseTurnsBothHealthServices) {
  const fs::path database = Options().data / "mozgach.db";
  fs::rename(database, database.string() + ".away");
  EXPECT_THAT(Health("503"), HasSubstr("mozgach.db was removed while the scheduler runs"));
  EXPECT_EQ(GrpcHealth(channel_), 2) << "NOT_SERVING";
  fs::rename(database.string() + ".away", database);
  EXPECT_THAT(Health("200 OK"), HasSubstr("200 OK"));
  for (int i = 0; i < 500 && GrpcHealth(channel_) != 1; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(GrpcHealth(channel_), 1) << "SERVING";
}

TEST_F(HealthTest, WhatWasRemovedByHandIsMadeAgain) {
  const fs::path data = Options().data;
  // In one step: the scheduler makes again what is missing, even while a folder is being removed.
  for (const char* name : {"blobs", "registry", "endpoints.json"}) {
    fs::rename(data / name, data / absl::StrCat("removed-", name));
  }
  for (const char* name :
       {"blobs/partial", "registry/adapters", "registry/staging", "endpoints.json"}) {
    for (int i = 0; i < 500 && !fs::exists(data / name); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(fs::exists(data / name)) << name;
  }
  SubmitOne("law");
  TestWorker alpha("alpha");
  RunOne(alpha);
}

TEST_F(HealthTest, UploadMakesItsDirectoriesAgain) {
  fs::rename(Options().data / "blobs", Options().data / "removed-blobs");
  PutBlob("rows");
}

TEST_F(HealthTest, DamagedDatabaseIsNotServed) {
  for (int i = 0; i < 50; ++i) SubmitOne(absl::StrCat("domain-", i));
  daemon_.reset();
  const fs::path database = Options().data / "mozgach.db";
  ASSERT_GT(fs::file_size(database), 40'960u);
  std::fstream file(database, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(16'384);
  file << std::string(16'384, '\x55');
  file.close();
  const absl::Status refused = Daemon::Start(Options(), Clock::System()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(ExitCode(refused), 1);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("damaged"), HasSubstr("restore --keep-files --from BACKUP --data")));
  std::ofstream(database) << "this is not a database, but a long enough text to look like one";
  EXPECT_EQ(ExitCode(Daemon::Start(Options(), Clock::System()).status()), 1);
}

}  // namespace
}  // namespace mozgach
