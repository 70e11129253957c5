// The other commands, the real program against a fake scheduler: output, JSON, exit codes.
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "security/certificate_authority.h"
#include "tests/ctl/fake_scheduler.h"
#include "tests/ctl/program.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class CommandTest : public testing::Test, public ProgramTest {
 protected:
  Said Ctl(std::vector<std::string> words) {
    words.insert(words.begin(), {"--scheduler", scheduler_.address()});
    return RunCtl(words);
  }

  void OfferVersion() {
    FakeRegistry& registry = scheduler_.registry;
    registry.version.set_domain("law");
    registry.version.set_version("v0001");
    registry.version.add_aliases("latest");
    registry.version.set_path("/registry/adapters/law/v0001");
    registry.version.set_metrics_json(
        R"({"base": {"eval_loss": 4.9, "exact_match": 0.01},
             "adapter": {"eval_loss": 0.03, "exact_match": 0.97}})");
    registry.AddFile("adapter_model.safetensors", std::string(5000, 'x'));
    registry.AddFile("mlx/adapters.safetensors", "mlx");
    registry.AddFile("README.md", "");
  }

  static std::string Slurp(const fs::path& path) {
    std::stringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
  }

  FakeScheduler scheduler_;
};

TEST_F(CommandTest, CommandThatThereIsNotIsNamedWithTheOneThatWasMeant) {
  const Said said = Ctl({"explian", "law"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.err, HasSubstr("has no command 'explian'; did you mean 'explain'?"));
  EXPECT_THAT(Ctl({"adapters", "lss"}).err,
              HasSubstr("`mozgachctl adapters` has no command 'lss'; did you mean 'ls'?"));
  EXPECT_THAT(Ctl({"jobs"}).err, HasSubstr("`mozgachctl --help` lists them"));
  EXPECT_THAT(Ctl({}).err, HasSubstr("A subcommand is required"));
}

TEST_F(CommandTest, WordsOfOtherProgramsLeadToOurs) {
  EXPECT_THAT(Ctl({"validate", "law.yaml"}).err, HasSubstr("did you mean 'submit --dry-run'?"));
  EXPECT_THAT(Ctl({"describe", "law"}).err, HasSubstr("did you mean 'explain'?"));
  EXPECT_THAT(Ctl({"status"}).err, HasSubstr("did you mean 'ps'?"));
  EXPECT_THAT(Ctl({"top"}).err, HasSubstr("did you mean 'watch'?"));
}

TEST_F(CommandTest, AFlagThatThereIsNotIsNamedWithTheOneThatWasMeant) {
  const Said said = Ctl({"ps", "--lable=team=law"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.err, HasSubstr("mozgachctl: `mozgachctl ps` has no flag '--lable'; "
                                  "did you mean '--label'?"));
  EXPECT_THAT(Ctl({"ps", "--shceduler", "x"}).err, HasSubstr("did you mean '--scheduler'?"));
  EXPECT_THAT(Ctl({"workers", "host1"}).err, HasSubstr("unexpected argument 'host1'"));
}

TEST_F(CommandTest, PsJsonHasTheFieldsThatProgramsRelyOnBeforeAndAfterTheVerb) {
  v1::Job running = MakeJob(7, "law", "running");
  running.set_loss(1.5);
  running.set_steps(40);
  scheduler_.jobs.jobs = {running, MakeJob(8, "tax", "queued")};
  const Said said = Ctl({"ps", "--json"});
  const json jobs = json::parse(said.out);
  for (const char* field :
       {"job", "domain", "state", "attempt", "worker", "step", "steps", "loss", "reason"}) {
    EXPECT_TRUE(jobs[0].contains(field)) << field;
  }
  EXPECT_EQ(jobs[0]["job"], 7);
  EXPECT_EQ(jobs[0]["loss"], 1.5);
  EXPECT_TRUE(jobs[1]["loss"].is_null());
  EXPECT_EQ(jobs[1]["metrics"], json::object());
  EXPECT_EQ(Ctl({"--json", "ps"}).out, said.out);
}

TEST_F(CommandTest, UnknownDomainsAndWordsAreNamedWithExitCode2) {
  const Said unknown = Ctl({"ps", "nowhere"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("nowhere"));
  const Said word = Ctl({"cancel", "Law!"});
  EXPECT_EQ(word.exit_code, 2);
  EXPECT_THAT(word.err, HasSubstr("'Law!' is neither a job's number nor a domain's name"));
  EXPECT_EQ(Ctl({"cancel"}).exit_code, 2);
  EXPECT_EQ(Ctl({"retry"}).exit_code, 2);
  EXPECT_TRUE(scheduler_.jobs.cancels.empty());
}

TEST_F(CommandTest, CancelTakesNumbersAndDomains) {
  scheduler_.jobs.jobs = {MakeJob(7, "law", "cancelled")};
  EXPECT_EQ(Ctl({"cancel", "7", "tax"}).exit_code, 0);
  ASSERT_EQ(scheduler_.jobs.cancels.size(), 1u);
  EXPECT_EQ(scheduler_.jobs.cancels[0].selector().jobs(0), 7);
  EXPECT_EQ(scheduler_.jobs.cancels[0].selector().domains(0), "tax");
  EXPECT_FALSE(scheduler_.jobs.cancels[0].selector().all());
}

TEST_F(CommandTest, WrongCommandLinesLeaveWith2AndHelpWith0) {
  EXPECT_EQ(Ctl({}).exit_code, 2);
  EXPECT_EQ(Ctl({"frobnicate"}).exit_code, 2);
  EXPECT_EQ(Ctl({"ps", "--nonsense"}).exit_code, 2);
  EXPECT_EQ(Ctl({"submit"}).exit_code, 2);
  EXPECT_EQ(Ctl({"logs", "--attempt", "x", "law"}).exit_code, 2);
  EXPECT_EQ(Ctl({"--help"}).exit_code, 0);
  EXPECT_EQ(Ctl({"adapters", "pull", "--help"}).exit_code, 0);
  EXPECT_EQ(RunCtl({"--scheduler", "nowhere", "ps"}).exit_code, 2);
}

TEST_F(CommandTest, WorkersAreListedAndForgotten) {
  EXPECT_EQ(Ctl({"workers", "ls"}).out, Ctl({"workers"}).out);
  const Said said = Ctl({"workers", "forget", "alpha"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out, "worker alpha is forgotten\n");
  ASSERT_EQ(scheduler_.jobs.forgotten.size(), 1u);
  EXPECT_EQ(json::parse(Ctl({"--json", "workers", "forget", "alpha"}).out)["forgotten"],
            json::array({"alpha"}));
  const Said unknown = Ctl({"workers", "forget", "aplha"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'alpha'?"));
  EXPECT_EQ(Ctl({"workers", "forget"}).exit_code, 2);
}

TEST_F(CommandTest, DrainSaysHowItIsUndone) {
  EXPECT_THAT(Ctl({"drain", "alpha"}).err, HasSubstr("`mozgachctl drain --undo alpha`"));
  EXPECT_EQ(Ctl({"drain", "--undo", "alpha"}).err, "");
}

TEST_F(CommandTest, ASchedulerThatDoesNotAnswerIsGivenUpOn) {
  // Nothing listens on the discard port.
  for (const char* host : {"127.0.0.1", "localhost", "[::1]"}) {
    const auto start = std::chrono::steady_clock::now();
    const Said said = RunCtl({"--scheduler", absl::StrCat(host, ":9"), "ps"});
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3)) << "at once";
    EXPECT_EQ(said.exit_code, 3) << host;
    EXPECT_THAT(said.err, HasSubstr(":9 cannot be reached: connection refused")) << host;
    EXPECT_THAT(said.err, HasSubstr("MOZGACH_SCHEDULER"));
  }
  EXPECT_EQ(RunCtl({"--scheduler", "127.0.0.1:9", "doctor"}).exit_code, 3) << "not: problems found";
}

TEST_F(CommandTest, ASchedulerThatHangsIsNotTakenForOneWithTls) {
  const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(own);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
  ASSERT_EQ(::listen(listener.get(), 16), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
  const Said said = RunCtl({"--scheduler", absl::StrCat("127.0.0.1:", ntohs(own.sin_port)), "ps"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.err, HasSubstr("takes the connection and says nothing"));
  EXPECT_THAT(said.err, Not(HasSubstr("TLS")));
}

TEST_F(CommandTest, ASchedulerBehindTlsIsToldFromNone) {
  const KeyAndCertificate authority = *MakeAuthority("fleet", Clock::System().Now(), 1);
  const KeyAndCertificate own = *IssueForHosts(authority, {"127.0.0.1"}, Clock::System().Now(), 1);
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({own.key_pem, own.certificate_pem});
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
  FakeUpkeep service;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const Said said = RunCtl({"--scheduler", "127.0.0.1:" + std::to_string(port), "ps"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.err, HasSubstr("It seems to want TLS: set MOZGACH_TLS, or give --tls DIR"));
}

TEST_F(CommandTest, WorkersAreListed) {
  const json workers = json::parse(Ctl({"workers", "--json"}).out);
  EXPECT_EQ(workers[0]["worker"], "host1");
  EXPECT_EQ(workers[0]["jobs"], json::array({7}));
  EXPECT_EQ(workers[0]["base_loads"], 2);
  EXPECT_EQ(workers[0]["memory_bytes"], uint64_t{5} << 30);
  EXPECT_THAT(Ctl({"workers"}).out, HasSubstr("5.0 GiB"));
}

TEST_F(CommandTest, ADrainWithinNoTimeIsAtOnceWithOrWithoutAUnit) {
  for (const char* none : {"0", "0s", "0m", "0h"}) {
    EXPECT_EQ(Ctl({"drain", "host1", "--within", none}).exit_code, 0) << none;
    ASSERT_FALSE(scheduler_.jobs.drains.empty());
    EXPECT_TRUE(scheduler_.jobs.drains.back().has_within_ms()) << none;
    EXPECT_EQ(scheduler_.jobs.drains.back().within_ms(), 0u) << none;
  }
  EXPECT_EQ(Ctl({"drain", "host1", "--within", "2m"}).exit_code, 0);
  EXPECT_EQ(scheduler_.jobs.drains.back().within_ms(), 120'000u);
  EXPECT_EQ(Ctl({"drain", "host1", "--within", "-1s"}).exit_code, 2);
  EXPECT_EQ(scheduler_.jobs.drains.size(), 5u);
}

TEST_F(CommandTest, LogsAreTheBytesOrOneObjectPerLine) {
  scheduler_.jobs.log = "step 1\nstep 2\xff";
  EXPECT_EQ(Ctl({"logs", "law"}).out, "step 1\nstep 2\xff");
  EXPECT_EQ(Ctl({"logs", "law", "--json"}).out,
            "{\"line\":\"step 1\"}\n{\"line\":\"step 2\uFFFD\"}\n");
}

TEST_F(CommandTest, AdaptersAreListedWithTheirMetrics) {
  OfferVersion();
  const json versions = json::parse(Ctl({"adapters", "ls", "--json"}).out);
  EXPECT_EQ(versions[0]["aliases"], json::array({"latest"}));
  EXPECT_EQ(versions[0]["path"], "/registry/adapters/law/v0001");
  EXPECT_EQ(versions[0]["metrics"]["adapter"]["exact_match"], 0.97);
  const Said table = Ctl({"adapters", "ls"});
  EXPECT_THAT(table.out, AllOf(HasSubstr("4.900 → 0.030"), HasSubstr("1 % → 97 %")));
  EXPECT_THAT(Ctl({"adapters", "show", "law"}).out, HasSubstr("mlx/adapters.safetensors"));
  EXPECT_EQ(Ctl({"adapters", "show", "tax"}).exit_code, 2);
}

TEST_F(CommandTest, PullBringsEveryFileOrNothing) {
  OfferVersion();
  const fs::path target = root() / "pulled";
  const Said said = Ctl({"adapters", "pull", "law@latest", "--output", target.string() + "/"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(Slurp(target / "adapter_model.safetensors"), std::string(5000, 'x'));
  EXPECT_EQ(Slurp(target / "mlx/adapters.safetensors"), "mlx");
  EXPECT_TRUE(fs::exists(target / "README.md"));

  const Said again = Ctl({"adapters", "pull", "law", "--output", target.string()});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.err, HasSubstr("not an empty directory"));

  scheduler_.registry.files["adapter_model.safetensors"][17] = 'y';
  const Said bad = Ctl({"adapters", "pull", "law", "--output", (root() / "bad").string()});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("adapter_model.safetensors is not what was published"));
  EXPECT_FALSE(fs::exists(root() / "bad"));
  for (const auto& entry : fs::directory_iterator(root())) {
    EXPECT_EQ(entry.path().string().find("partial"), std::string::npos) << entry.path();
  }
}

TEST_F(CommandTest, PullWritesNothingOutsideItsTarget) {
  OfferVersion();
  scheduler_.registry.AddFile("../escaped", "x");
  const Said said = Ctl({"adapters", "pull", "law", "--output", (root() / "pulled").string()});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_FALSE(fs::exists(root() / "escaped"));
  EXPECT_FALSE(fs::exists(root() / "pulled"));
}

TEST_F(CommandTest, VerifyNamesTheFileThatDiffersAndFails) {
  OfferVersion();
  EXPECT_EQ(Ctl({"adapters", "verify"}).exit_code, 0);
  scheduler_.registry.problems = {"adapter_model.safetensors: its digest is another"};
  const Said said = Ctl({"adapters", "verify"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.out, HasSubstr("law@v0001: adapter_model.safetensors"));
  EXPECT_EQ(json::parse(Ctl({"adapters", "verify", "--json"}).out)[0]["problems"].size(), 1u);
}

TEST_F(CommandTest, AliasSetsAndRemoves) {
  OfferVersion();
  EXPECT_EQ(Ctl({"adapters", "alias", "law", "champion", "v0001"}).exit_code, 0);
  EXPECT_EQ(Ctl({"adapters", "alias", "law", "champion", "--remove"}).exit_code, 0);
  EXPECT_EQ(Ctl({"adapters", "alias", "law", "champion"}).exit_code, 2);
  ASSERT_EQ(scheduler_.registry.aliases.size(), 2u);
  EXPECT_EQ(scheduler_.registry.aliases[0].version(), "v0001");
  EXPECT_EQ(scheduler_.registry.aliases[1].version(), "");
}

}  // namespace
}  // namespace mozgach
