#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "scheduler/core/worker_call.h"
#include "scheduler/state/chat_facts.h"

namespace mozgach {
namespace {

constexpr int kBasesMax = 10000;
constexpr int kRevisionsMax = 200;
constexpr int kDevicesMax = 64;
constexpr int kAttemptsMax = 1000;
constexpr size_t kTextMax = 200;
constexpr size_t kProblemMax = 4096;

bool IsPlain(const std::string& text, bool may_be_empty) {
  return (may_be_empty || !text.empty()) && text.size() <= kTextMax &&
         std::all_of(text.begin(), text.end(), absl::ascii_isprint);
}

bool IsWorkerName(const std::string& text) {
  return IsPlain(text, false) && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

absl::Status Refused(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("Synchronize: ", what));
}

absl::Status CheckBases(const v1::SynchronizeRequest& request) {
  if (request.bases_size() > kBasesMax) return Refused("more than 10000 bases");
  for (const v1::Base& base : request.bases()) {
    if (!IsBaseName(base.name()) || base.name().size() > kTextMax) {
      return Refused("a base whose name is not as on the hub (Qwen/Qwen2.5-3B)");
    }
    if (base.revisions_size() > kRevisionsMax ||
        !std::all_of(base.revisions().begin(), base.revisions().end(),
                     [](const std::string& revision) { return IsPlain(revision, false); })) {
      return Refused(absl::StrCat("more than 200 or unprintable revisions of ", base.name()));
    }
    if (!base.digest().empty() && !IsSha256Hex(base.digest())) {
      return Refused(absl::StrCat("a digest of ", base.name(), " that is none"));
    }
    if (!base.config_digest().empty() && !IsSha256Hex(base.config_digest())) {
      return Refused(absl::StrCat("a config_digest of ", base.name(), " that is none"));
    }
    if (base.config_json().size() > kConfigBytesMax) {
      return Refused(absl::StrCat("a config.json of ", base.name(), " of more than 256 KiB"));
    }
    if (absl::Status chat = CheckChatFacts(base.chat()); !chat.ok()) {
      return Refused(absl::StrCat(base.name(), ": ", std::string(chat.message())));
    }
    if (base.problem().size() > kProblemMax) {
      return Refused(absl::StrCat("a problem of ", base.name(), " of more than 4096 bytes"));
    }
  }
  if (request.base_fetches_size() > kDevicesMax) return Refused("more than 64 fetches of bases");
  for (const v1::BaseFetch& fetch : request.base_fetches()) {
    if (!IsBaseName(fetch.base()) || fetch.base().size() > kTextMax ||
        !IsSha256Hex(fetch.digest())) {
      return Refused("a fetch of a base without its name and digest");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRequest(const v1::SynchronizeRequest& request) {
  if (!IsWorkerName(request.worker())) {
    return Refused("a worker's name is 1 to 200 letters, digits, '.', '_' and '-'");
  }
  if (!IsPlain(request.incarnation(), false))
    return Refused("no incarnation, or an unprintable one");
  if (!IsPlain(request.version(), true)) return Refused("an unprintable version");
  if (request.devices_size() > kDevicesMax) return Refused("more than 64 devices");
  std::set<std::string> names;
  for (const v1::Device& device : request.devices()) {
    if (!names.insert(device.name()).second) {
      return Refused(absl::StrCat("the device ", device.name().substr(0, kTextMax), " twice"));
    }
    if (!IsPlain(device.name(), false) || !IsPlain(device.kind(), true) ||
        !IsPlain(device.loaded_base(), true) || !IsPlain(device.memory_pool(), true)) {
      return Refused("an unprintable device");
    }
  }
  RETURN_IF_ERROR(CheckBases(request));
  if (request.attempts_size() > kAttemptsMax) return Refused("more than 1000 attempts");
  for (const v1::AttemptReport& report : request.attempts()) {
    if (!IsPlain(report.device(), true)) return Refused("an unprintable device of an attempt");
    if (report.progress().step() < 0 || report.progress().steps() < 0) {
      return Refused(
          absl::StrCat("step ", report.progress().step(), " of ", report.progress().steps()));
    }
  }
  return absl::OkStatus();
}

}  // namespace mozgach
