#include "worker/agent/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "security/certificate_authority.h"
#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class OptionsTest : public ::testing::Test {
 protected:
  absl::StatusOr<WorkerOptions> Read(std::vector<std::string> words) {
    words.insert(words.begin(), "mozgach-worker");
    words.insert(words.end(), {"--trainer", "/bin/true"});
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    auto options = ReadWorkerOptions(static_cast<int>(argv.size()), argv.data());
    if (!options.ok()) return options.status();
    return **options;
  }
  std::string Problem(std::vector<std::string> words) {
    const auto options = Read(std::move(words));
    EXPECT_TRUE(absl::IsInvalidArgument(options.status())) << options.status();
    return std::string(options.status().message());
  }

  TemporaryFolder folder_;
  const std::string bases_ = folder_.path().string();
};

TEST_F(OptionsTest, FlagsAreRead) {
  const auto options = Read({"--scheduler", "h:1", "--data", "d", "--bases", bases_, "/tmp",
                             "--threads", "3", "--memory", "2GiB", "--name", "n"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->scheduler, "h:1");
  EXPECT_EQ(options->bases.size(), 2);
  EXPECT_EQ(options->threads, 3);
  EXPECT_EQ(options->memory_bytes, uint64_t{2} << 30);
  EXPECT_EQ(options->name, "n");
  EXPECT_EQ(options->http, "");
}

TEST_F(OptionsTest, WhatIsKeptIsSaidInDaysAndSizes) {
  const std::vector<std::string> least = {"--scheduler", "h:1", "--data", "d", "--bases", bases_};
  std::vector<std::string> words = least;
  words.insert(words.end(),
               {"--checkpoint-days", "30", "--dataset-cache", "1GiB", "--quantized-cache", "2GiB"});
  const auto options = Read(words);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->rules.checkpoint_days, 30);
  EXPECT_EQ(options->rules.dataset_bytes, uint64_t{1} << 30);
  EXPECT_EQ(options->rules.quantized_bytes, uint64_t{2} << 30);
  EXPECT_EQ(Read(least)->rules.checkpoint_days, 7);
  words = least;
  words.insert(words.end(), {"--checkpoint-days", "0"});
  EXPECT_THAT(Problem(words), HasSubstr("from 1 to 36500"));
}

TEST_F(OptionsTest, NameIsTheHostsByDefault) {
  EXPECT_NE(Read({"--scheduler", "h:1", "--data", "d", "--bases", bases_})->name, "");
}

TEST_F(OptionsTest, ACertificateNamesItsWorker) {
  const auto now = Clock::System().Now();
  const auto authority = MakeAuthority("fleet", now, 1);
  const auto alpha = IssueForCaller(*authority, Role::kWorker, "alpha", now, 1);
  folder_.Write("tls/ca.pem", authority->certificate_pem);
  folder_.Write("tls/certificate.pem", alpha->certificate_pem);
  const auto key = folder_.Write("tls/key.pem", alpha->key_pem);
  ::chmod(key.c_str(), 0600);
  const std::string tls = (folder_.path() / "tls").string();
  const std::vector<std::string> words = {"--scheduler", "h:1",  "--data", "d",
                                          "--bases",     bases_, "--tls",  tls};
  const auto options = Read(words);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->name, "alpha");
  std::vector<std::string> other = words;
  other.insert(other.end(), {"--name", "bravo"});
  EXPECT_THAT(Problem(other), HasSubstr("was issued to alpha"));
  ::chmod(key.c_str(), 0644);
  EXPECT_THAT(Problem(words), HasSubstr("chmod 600"));
}

TEST_F(OptionsTest, MetricsForOtherHostsMustBeAskedForInAsManyWords) {
  std::vector<std::string> words = {"--scheduler", "h:1",  "--data", "d",
                                    "--bases",     bases_, "--http", "0.0.0.0:7110"};
  EXPECT_THAT(Problem(words), HasSubstr("--insecure-plaintext"));
  words.push_back("--insecure-plaintext");
  EXPECT_TRUE(Read(words).ok());
}

TEST_F(OptionsTest, FileFillsWhatTheCommandLineLeavesOpen) {
  const auto file = folder_.Write("w.yaml", "scheduler: file:1\ndata: d\nthreads: 2\nbases: [" +
                                                bases_ + "]\nname: from-file\n");
  const auto options = Read({"--config", file.string(), "--name", "flag"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->scheduler, "file:1");
  EXPECT_EQ(options->threads, 2);
  EXPECT_EQ(options->name, "flag");
}

TEST_F(OptionsTest, PlaintextCanBeAllowedInTheFile) {
  const auto file = folder_.Write("w.yaml",
                                  "scheduler: h:1\ndata: d\ninsecure_plaintext: true\n"
                                  "bases: " +
                                      bases_ + "\n");
  const auto options = Read({"--config", file.string()});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options->insecure_plaintext);
}

TEST_F(OptionsTest, MistakesAreNamed) {
  EXPECT_THAT(Problem({}), HasSubstr("--scheduler HOST:PORT, --data DIR, --bases DIR are missing"));
  EXPECT_THAT(Problem({"--scheduler", "h:1", "--bases", bases_}),
              HasSubstr("--data DIR is missing"));
  EXPECT_THAT(Problem({"--scheduler", "h:1", "--data", "d", "--bases", "/nowhere"}),
              HasSubstr("/nowhere"));
  EXPECT_THAT(Problem({"--scheduler", "h:1", "--data", "d", "--bases", bases_, "--memory", "lots"}),
              HasSubstr("lots"));
  for (const char* threads : {"0", "-1", "1025"}) {
    EXPECT_THAT(
        Problem({"--scheduler", "h:1", "--data", "d", "--bases", bases_, "--threads", threads}),
        HasSubstr("from 1 to 1024"));
  }
  EXPECT_THAT(Problem({"--wrong"}), HasSubstr("--wrong"));
  EXPECT_THAT(Problem({"--shceduler", "h:1"}), HasSubstr("did you mean '--scheduler'?"));
  const auto file = folder_.Write("w.yaml", "a: 1\n");
  EXPECT_THAT(Problem({"--config", file.string()}), HasSubstr("w.yaml:1: unknown option 'a'"));
  const auto near = folder_.Write("n.yaml", "thraeds: 1\n");
  EXPECT_THAT(Problem({"--config", near.string()}), HasSubstr("did you mean 'threads'?"));
  EXPECT_THAT(Problem({"--config", "/nowhere.yaml"}), HasSubstr("/nowhere.yaml"));
}

}  // namespace
}  // namespace mozgach
