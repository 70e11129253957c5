// Any call of any service, to a whole daemon on a socket of this machine: its gates, services,
// front executor and core. The first line names the method, as "mozgach.v1.JobService/Get"; then
// messages follow with lines "----" between them, as text where they can be read as that, and
// otherwise as the bytes that go over the wire. Whatever is called, the invariants hold, nothing
// lies beside the daemon's directory that was not there, and a file beside it is never told.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "mozgach/v1/base_service.pb.h"
#include "mozgach/v1/fleet_service.pb.h"
#include "mozgach/v1/upkeep_service.pb.h"
#include "tests/fuzz/text_message.h"
#include "tests/invariants/invariants.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;

constexpr int kInputsOfADaemon = 100;
constexpr int kAnswersMax = 20;  // answers read from a stream that would continue
constexpr auto kTimeout = std::chrono::milliseconds(200);
constexpr char kSecret[] = "what nobody who calls may read";

// Messages' classes are only known to the pool once something of their file is used.
void KnowAllServices() {
  v1::AddBaseRequest::descriptor();
  v1::AddTokenRequest::descriptor();
  v1::CheckConsistencyRequest::descriptor();
}

std::string OnTheWire(const MethodDescriptor& method, const std::string& text) {
  const std::unique_ptr<google::protobuf::Message> message(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(method.input_type())
          ->New());
  return ParseText(text, message.get()) ? message->SerializeAsString() : text;
}

// One call from beginning to end, all answers read.
class GenericCall {
 public:
  GenericCall(grpc::GenericStub& stub, const std::string& method) {
    context_.set_deadline(std::chrono::system_clock::now() + kTimeout);
    stream_ = stub.PrepareCall(&context_, method, &queue_);
    stream_->StartCall(this);
    good_ = Next();
  }

  void Write(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    if (!good_) return;
    stream_->Write(grpc::ByteBuffer(&slice, 1), this);
    good_ = Next();
  }

  // The bytes of the answers.
  std::string Finish() {
    std::string answers;
    stream_->WritesDone(this);
    Next();
    for (int answer = 0;; ++answer) {
      if (answer == kAnswersMax) context_.TryCancel();
      grpc::ByteBuffer buffer;
      stream_->Read(&buffer, this);
      if (!Next()) break;
      std::vector<grpc::Slice> slices;
      if (!buffer.Dump(&slices).ok()) continue;
      for (const grpc::Slice& slice : slices) {
        answers.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      }
    }
    grpc::Status status;
    stream_->Finish(&status, this);
    Next();
    return answers + status.error_message();
  }

 private:
  bool Next() {
    void* tag;
    bool ok;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool good_ = false;
};

// A daemon with a version, a job that runs on alpha and one that waits.
class LiveDaemon : public Service {
 public:
  LiveDaemon() : invariants_(Options().data / "registry", {}), stub_(channel_) {
    KnowAllServices();
    std::ofstream(directory_.path() / "secret") << kSecret;
    TestWorker alpha("alpha");
    SubmitOne("law");
    RunOne(alpha);
    SubmitOne("history");
    alpha.Says(1);
    Call(alpha);
    SubmitOne("music");
  }

  void Take(const std::string& line, const std::string& rest) {
    const std::string name = absl::StrJoin(absl::StrSplit(line, '/'), ".");
    const MethodDescriptor* method = DescriptorPool::generated_pool()->FindMethodByName(name);
    if (method == nullptr) return;
    GenericCall call(stub_, absl::StrCat("/", line));
    for (const absl::string_view text : absl::StrSplit(rest, "----\n")) {
      call.Write(OnTheWire(*method, std::string(text)));
      if (!method->client_streaming()) break;
    }
    if (call.Finish().find(kSecret) != std::string::npos)
      Fail("it told a file that is not its own");
    CheckAll();
  }

 private:
  void CheckAll() {
    auto database = Database::OpenToRead((Options().data / "mozgach.db").string());
    if (!database.ok()) Fail(std::string(database.status().message()));
    for (const std::string& problem : invariants_.Check(**database)) Fail(problem);
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      const std::string name = entry.path().filename();
      if (name != "data" && name != "secret") Fail(absl::StrCat(name, " has come"));
    }
  }

  void TestBody() override {}

  Invariants invariants_;
  grpc::GenericStub stub_;
};

}  // namespace
}  // namespace mozgach

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mozgach::Take<mozgach::LiveDaemon>(data, size, mozgach::kInputsOfADaemon);
  return 0;
}
