#include "scheduler/access/certificate_watch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/interruptible_sleep.h"
#include "common/log.h"
#include "security/credentials_folder.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds kLookEvery(1);
constexpr uint64_t kPemBytesMax = 1 << 20;
constexpr std::array<const char*, 3> kPemFiles = {"ca.pem", "certificate.pem", "key.pem"};

absl::StatusOr<FileDescriptor> FileInMemory(const char* name, std::string_view bytes) {
  FileDescriptor fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) return SystemError(errno, absl::StrCat("hold ", name, " in memory"));
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, absl::StrCat("hold ", name, " in memory"));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CertificateWatch>> CertificateWatch::Start(const fs::path& folder) {
  std::unique_ptr<CertificateWatch> watch(new CertificateWatch(folder));
  ASSIGN_OR_RETURN(const Pems pems, watch->Read());
  RETURN_IF_ERROR(watch->Check(pems));
  RETURN_IF_ERROR(watch->Offer(pems));
  for (const std::string& path : {watch->authority(), watch->certificate(), watch->key()}) {
    if (::access(path.c_str(), R_OK) != 0) return SystemError(errno, absl::StrCat("read ", path));
  }
  watch->thread_ = std::jthread([self = watch.get()](std::stop_token stop) { self->Run(stop); });
  return watch;
}

CertificateWatch::~CertificateWatch() { thread_ = std::jthread(); }

absl::StatusOr<CertificateWatch::Pems> CertificateWatch::Read() const {
  Pems pems;
  for (size_t i = 0; i < kPemFiles.size(); ++i) {
    ASSIGN_OR_RETURN(pems[i], ReadFile(folder_ / kPemFiles[i], kPemBytesMax));
  }
  return pems;
}

// CredentialsFolder reads for itself: what it found good is `pems` if they are still there.
absl::Status CertificateWatch::Check(const Pems& pems) const {
  RETURN_IF_ERROR(CredentialsFolder::Open(folder_).status());
  ASSIGN_OR_RETURN(const Pems now, Read());
  return now == pems ? absl::OkStatus()
                     : absl::UnavailableError(absl::StrCat(folder_.string(), " is being changed"));
}

absl::Status CertificateWatch::Offer(const Pems& pems) {
  std::array<FileDescriptor, 3> fresh;
  for (size_t i = 0; i < pems.size(); ++i) {
    ASSIGN_OR_RETURN(fresh[i], FileInMemory(kPemFiles[i], pems[i]));
  }
  // Under the number that readers know: each finds the old file or the new one.
  for (size_t i = 0; i < pems.size(); ++i) {
    if (!offered_[i].valid()) {
      offered_[i] = std::move(fresh[i]);
    } else if (::dup3(fresh[i].get(), offered_[i].get(), O_CLOEXEC) < 0) {
      return SystemError(errno, absl::StrCat("replace ", kPemFiles[i]));
    }
  }
  pems_ = pems;
  return absl::OkStatus();
}

void CertificateWatch::Look() {
  const absl::StatusOr<Pems> pems = Read();
  absl::Status status = pems.status();
  if (status.ok() && *pems != pems_) {
    status = Check(*pems);
    if (status.ok()) status = Offer(*pems);
    if (status.ok()) spdlog::info("new connections see what is now in {}", folder_.string());
  }
  const std::string problem(status.message());
  if (problem != problem_) {
    problem_ = problem;
    told_ = false;  // somebody may be in the middle of a copy
  } else if (!problem.empty() && !told_) {
    told_ = true;
    spdlog::error(
        "{}; the certificate from before is shown until the files in {} are whole: copy "
        "them again, or make new ones (`mozgachctl fleet scheduler --host NAME --replace`)",
        problem, folder_.string());
  }
}

void CertificateWatch::Run(std::stop_token stop) {
  while (!SleepUnlessStopped(stop, kLookEvery)) Look();
}

std::string CertificateWatch::PathOf(size_t which) const {
  return absl::StrCat("/proc/self/fd/", offered_[which].get());
}

}  // namespace mozgach
