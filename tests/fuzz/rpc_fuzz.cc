// Any message of any call, as text after a line that names it, against a live core. Whatever it
// says, the invariants hold.
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "scheduler/core/submission.h"
#include "scheduler/core/worker_call.h"
#include "tests/fuzz/text_message.h"
#include "tests/invariants/invariants.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

constexpr int kInputsOfACore = 200;

// A core with a job that runs on alpha, one that waits, and one that is published.
class LiveCore : public Fleet {
 public:
  LiveCore() : invariants_(RegistryRoot(), {}) {
    TestWorker alpha("alpha");
    SubmitOne("law");
    RunOne(alpha);
    SubmitOne("history");
    alpha.Reports(Claim(alpha));
    Call(alpha);
    SubmitOne("music", kQwen);
  }

  void Take(const std::string& call, const std::string& text) {
    const auto found = Calls().find(call);
    if (found == Calls().end()) return;
    now_.since_boot += Milliseconds(10);
    now_.wall += Milliseconds(10);
    found->second(*this, text);
    core_->TakeWakeups();
    for (const std::string& problem : invariants_.Check(*database_)) Fail(problem);
  }

 private:
  using Deed = std::function<void(LiveCore&, const std::string&)>;

  template <typename Request, typename Ask>
  static Deed With(Ask ask) {
    return [ask](LiveCore& self, const std::string& text) {
      Request request;
      if (ParseText(text, &request)) ask(*self.core_, self.now_, request);
    };
  }

  static const std::map<std::string, Deed>& Calls() {
    static const std::map<std::string, Deed> calls = {
        {"Synchronize",
         With<v1::SynchronizeRequest>([](Core& core, const Now& now, const auto& request) {
           if (CheckRequest(request).ok()) (void)core.Synchronize(now, request, false);
         })},
        {"Submit", With<v1::SubmitRequest>([](Core& core, const Now& now, const auto& request) {
           const auto checked = CheckSubmissions(request);
           if (checked.ok()) (void)core.Submit(now, request, *checked);
         })},
        {"Cancel", With<v1::CancelRequest>([](Core& core, const Now& now, const auto& request) {
           (void)core.Cancel(now, request);
         })},
        {"Retry", With<v1::RetryRequest>([](Core& core, const Now& now, const auto& request) {
           (void)core.Retry(now, request);
         })},
        {"DrainWorker",
         With<v1::DrainWorkerRequest>([](Core& core, const Now& now, const auto& request) {
           (void)core.Drain(now, request);
         })},
        {"AddBase", With<v1::AddBaseRequest>([](Core& core, const Now& now, const auto& request) {
           (void)core.AddBase(now, request);
         })},
        {"List", With<v1::ListRequest>([](Core& core, const Now& now, const auto& request) {
           (void)core.List(now, request);
         })},
        {"Get", With<v1::GetRequest>([](Core& core, const Now& now, const auto& request) {
           (void)core.Get(now, request);
         })},
        {"Explain", With<v1::ExplainRequest>([](Core& core, const Now& now, const auto& request) {
           (void)core.Explain(now, request);
         })},
        {"ListEvents",
         With<v1::ListEventsRequest>([](Core& core, const Now& now, const auto& request) {
           (void)core.ListEvents(now, request);
         })}};
    return calls;
  }

  void TestBody() override {}

  Invariants invariants_;
};

}  // namespace
}  // namespace mozgach

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mozgach::Take<mozgach::LiveCore>(data, size, mozgach::kInputsOfACore);
  return 0;
}
