// fleet_load: as many simulated workers and people as one asks for, over real gRPC, for
// scheduler_load_bench.py.  Prints one JSON object.
//
//   fleet_load ADDRESS submit DOMAINS PREFIX     one request
//   fleet_load ADDRESS cycles SECONDS WORKERS    claims jobs, reports a step, ends them (as `user`
//   failures) fleet_load ADDRESS publish SECONDS WORKERS   the same, each with an adapter of two
//   small files fleet_load ADDRESS witness SECONDS WORKERS   every second one with files; a line
//   with its number for each
//                                                job that the scheduler said is over; ends with the
//                                                scheduler
//   fleet_load ADDRESS calls SECONDS WORKERS     each calls every 10 s and has nothing to say
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "mozgach/v1/job_service.grpc.pb.h"
#include "mozgach/v1/worker_service.grpc.pb.h"
#include "nlohmann/json.hpp"
#include "tests/registry/weights.h"

namespace mozgach {
namespace {

using Seconds = std::chrono::duration<double>;
using Steady = std::chrono::steady_clock;
using nlohmann::json;

constexpr int kThreads = 16;
constexpr double kCallEvery = 10;

bool ends_with_the_scheduler = false;

void Must(const grpc::Status& status, const char* what) {
  if (status.ok()) return;
  if (ends_with_the_scheduler) std::_Exit(0);
  std::fprintf(stderr, "%s: %s\n", what, status.error_message().c_str());
  std::exit(1);
}

std::string PutBlob(v1::WorkerService::Stub& stub, const std::string& bytes) {
  grpc::ClientContext context;
  v1::UploadBlobResponse response;
  const auto writer = stub.UploadBlob(&context, &response);
  v1::UploadBlobRequest request;
  request.set_sha256(Sha256Hex(bytes));
  request.set_size(bytes.size());
  request.set_data(bytes);
  writer->Write(request);
  writer->WritesDone();
  Must(writer->Finish(), "upload");
  return request.sha256();
}

json Submit(const std::shared_ptr<grpc::Channel>& channel, int domains, const std::string& prefix) {
  const auto workers = v1::WorkerService::NewStub(channel);
  const auto jobs = v1::JobService::NewStub(channel);
  const std::string rows = "{\"text\": \"a row\"}\n";
  const std::string sha256 = PutBlob(*workers, rows);
  v1::SubmitRequest request;
  for (int i = 0; i < domains; ++i) {
    v1::Submission& domain = *request.add_domains();
    domain.set_spec_json(
        absl::StrCat(R"({"domain":")", prefix, "-", i,
                     R"(","base":"mozgach/tiny","data":{"train":["train.jsonl"]}})"));
    v1::Dataset& dataset = *domain.add_datasets();
    dataset.set_role(v1::Dataset::TRAIN);
    dataset.set_name("train.jsonl");
    dataset.set_sha256(sha256);
    dataset.set_size(rows.size());
  }
  grpc::ClientContext context;
  v1::SubmitResponse response;
  const auto begin = Steady::now();
  Must(jobs->Submit(&context, request, &response), "submit");
  return {{"domains", response.outcomes_size()},
          {"seconds", Seconds(Steady::now() - begin).count()}};
}

// One worker with one device, and how long its calls took.
class LoadWorker {
 public:
  LoadWorker(const std::shared_ptr<grpc::Channel>& channel, int number)
      : stub_(v1::WorkerService::NewStub(channel)) {
    request_.set_worker(absl::StrCat("load-", number));
    request_.set_incarnation(absl::StrCat("run-", ::getpid()));
    v1::Device& device = *request_.add_devices();
    device.set_name("cpu");
    device.set_free_slots(1);
    request_.add_bases()->set_name("mozgach/tiny");
  }

  v1::SynchronizeResponse Call(int free_slots) {
    request_.set_free_slots(static_cast<uint32_t>(free_slots));
    request_.set_sequence(++calls_);
    grpc::ClientContext context;
    v1::SynchronizeResponse response;
    const auto begin = Steady::now();
    Must(stub_->Synchronize(&context, request_, &response), "Synchronize");
    took_.push_back(Seconds(Steady::now() - begin).count());
    return response;
  }

  // Claims a job, reports a step of it, and ends it.  False: there is none.
  bool Cycle(bool publishes) {
    request_.clear_attempts();
    const v1::SynchronizeResponse given = Call(1);
    if (given.assignments().empty()) return false;
    v1::AttemptReport& report = *request_.add_attempts();
    report.set_job(given.assignments(0).job());
    report.set_attempt(given.assignments(0).attempt());
    report.set_phase(v1::AttemptReport::TRAINING);
    report.mutable_progress()->set_step(1);
    report.mutable_progress()->set_steps(2);
    Call(0);
    if (publishes) {
      report.set_phase(v1::AttemptReport::FINISHED);
      AddFiles(*report.mutable_result(), report.job());
    } else {
      report.set_phase(v1::AttemptReport::FAILED);
      report.mutable_failure()->set_class_(v1::Failure::USER);
      report.mutable_failure()->set_message("as it should");
    }
    const v1::SynchronizeResponse last = Call(0);
    const bool over =
        last.assignments().empty() || last.assignments(0).desired() == v1::Assignment::PUBLISHED;
    if (ends_with_the_scheduler && over)
      std::printf("%lld\n", static_cast<long long>(report.job()));
    return true;
  }

  const std::vector<double>& took() const { return took_; }

 private:
  void AddFiles(v1::Result& result, int64_t job) {
    for (const auto& [name, bytes] :
         {std::pair<std::string, std::string>{"adapter_config.json",
                                              AdapterConfigText("mozgach/tiny")},
          {"adapter_model.safetensors", Weights(absl::StrCat("weights of job ", job))}}) {
      v1::File& file = *result.add_files();
      file.set_path(name);
      file.set_sha256(PutBlob(*stub_, bytes));
      file.set_size(bytes.size());
    }
  }

  std::unique_ptr<v1::WorkerService::Stub> stub_;
  v1::SynchronizeRequest request_;
  uint64_t calls_ = 0;
  std::vector<double> took_;
};

json Latencies(const std::vector<std::unique_ptr<LoadWorker>>& workers) {
  std::vector<double> all;
  for (const auto& worker : workers)
    all.insert(all.end(), worker->took().begin(), worker->took().end());
  std::sort(all.begin(), all.end());
  const auto at = [&](double share) {
    return all.empty() ? 0 : all[static_cast<size_t>(share * static_cast<double>(all.size() - 1))];
  };
  return {{"calls", all.size()},
          {"p50_ms", 1e3 * at(0.5)},
          {"p99_ms", 1e3 * at(0.99)},
          {"max_ms", 1e3 * at(1)}};
}

// `deed(worker)` for each of a thread's workers in turn, until the time is up or it says no.
double InTurn(std::vector<std::unique_ptr<LoadWorker>>& workers, double seconds,
              const std::function<bool(LoadWorker&, size_t number, int64_t turn)>& deed) {
  const auto begin = Steady::now();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t turn = 0;; ++turn) {
        bool any = false;
        for (size_t i = static_cast<size_t>(t); i < workers.size(); i += kThreads) {
          if (Seconds(Steady::now() - begin).count() > seconds) return;
          any = true;
          if (!deed(*workers[i], i, turn)) return;
        }
        if (!any) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return Seconds(Steady::now() - begin).count();
}

json Run(const std::shared_ptr<grpc::Channel>& channel, const std::string& mode, double seconds,
         int count) {
  std::vector<std::unique_ptr<LoadWorker>> workers;
  for (int i = 0; i < count; ++i) workers.push_back(std::make_unique<LoadWorker>(channel, i));
  std::atomic<int64_t> cycles = 0;
  const auto begin = Steady::now();
  const double took =
      InTurn(workers, seconds, [&](LoadWorker& worker, size_t number, int64_t turn) {
        if (mode != "calls") {
          const bool done =
              worker.Cycle(mode == "publish" || (mode == "witness" && number % 2 == 0));
          cycles += done ? 1 : 0;
          return done;
        }
        const double place = static_cast<double>(number) / static_cast<double>(workers.size());
        const double due = kCallEvery * (static_cast<double>(turn) + place);
        std::this_thread::sleep_until(begin +
                                      std::chrono::duration_cast<Steady::duration>(Seconds(due)));
        worker.Call(0);
        return true;
      });
  json out = Latencies(workers);
  out["seconds"] = took;
  if (mode != "calls") out["cycles"] = cycles.load();
  return out;
}

int Main(int argc, char** argv) {
  if (argc != 5) return 2;
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetMaxReceiveMessageSize(-1);
  const auto channel =
      grpc::CreateCustomChannel(argv[1], grpc::InsecureChannelCredentials(), arguments);
  const std::string mode = argv[2];
  ends_with_the_scheduler = mode == "witness";
  if (ends_with_the_scheduler) std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
  const json result = mode == "submit" ? Submit(channel, std::atoi(argv[3]), argv[4])
                                       : Run(channel, mode, std::atof(argv[3]), std::atoi(argv[4]));
  if (!ends_with_the_scheduler) std::printf("%s\n", result.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace mozgach

int main(int argc, char** argv) { return mozgach::Main(argc, argv); }
