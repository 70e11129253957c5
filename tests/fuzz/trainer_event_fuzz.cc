// Any bytes as what a trainer says, to a worker's session that has given it a job.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "worker/session/session.h"
#include "worker/session/trainer_events.h"
#include "worker/trainer/line_splitter.h"

namespace {

using mozgach::Milliseconds;

// One device, whose trainer has job 1 and hears of job 2.
mozgach::Session WithWork() {
  mozgach::SessionOptions options;
  options.name = "host";
  options.incarnation = "one";
  mozgach::Session session(options);
  mozgach::FoundBases bases;
  bases.AddFetched({.name = "mozgach/tiny", .plain = "/bases/tiny", .size_bytes = 1000});
  session.BasesFound(bases);
  session.Poll(Milliseconds(1));
  session.TrainerSaid(0, mozgach::TrainerReady{.device_name = "cpu"}, Milliseconds(2));
  mozgach::v1::SynchronizeResponse answer;
  answer.set_lease_ms(30'000);
  for (const int64_t job : {1, 2}) {
    auto& assignment = *answer.add_assignments();
    assignment.set_job(job);
    assignment.set_attempt(1);
    assignment.set_spec_json(R"({"base": "mozgach/tiny", "domain": "d"})");
  }
  session.Answered(1, answer, Milliseconds(3));
  for (const int64_t job : {1, 2}) session.DatasetsFetched({job, 1}, mozgach::DatasetPaths{});
  session.Poll(Milliseconds(4));
  return session;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mozgach::Session session = WithWork();
  Milliseconds now{5};
  mozgach::LineSplitter lines([&](std::string line) {
    const auto event = mozgach::ParseTrainerEvent(line);
    if (!event.ok()) return;
    session.TrainerSaid(0, *event, ++now);
    session.Poll(now);
  });
  lines.Add({reinterpret_cast<const char*>(data), size});
  lines.Finish();
  session.NextDue(now);
  for (const auto& [id, attempt] : session.attempts()) {
    if (id != attempt.work.id || id.attempt != 1) abort();
  }
  return 0;
}
