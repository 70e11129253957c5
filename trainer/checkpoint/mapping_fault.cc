#include "trainer/checkpoint/mapping_fault.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/mutex.h"

namespace mozgach {
namespace {

// A signal handler must not lock, so the number of places is fixed. `text` is written before
// `begin` is set and freed after `begin` is cleared. Mappings beyond the number of places are not
// reported by name.
struct Place {
  std::atomic<uintptr_t> begin = 0;
  std::atomic<uintptr_t> end = 0;
  std::atomic<const char*> text = nullptr;
};

std::array<Place, 1024> places;
Mutex places_mutex;

void Say(const char* text) {
  const ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
  (void)ignored;
}

void OnFault(int signal, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (const Place& place : places) {
    const uintptr_t begin = place.begin.load();
    if (begin == 0 || address < begin || address >= place.end.load()) continue;
    Say(place.text.load());
    Say(": was cut off while it was in use, or its disk failed; restore it and start again\n");
    break;
  }
  // The instruction runs again, and then the signal ends the process.
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;
  sigaction(signal, &plain, nullptr);
}

void TakeSignalOver() {
  struct sigaction action = {};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

void WatchMapping(const char* data, size_t size, const std::filesystem::path& path) {
  static std::once_flag once;
  std::call_once(once, TakeSignalOver);
  const MutexLock lock(places_mutex);
  for (Place& place : places) {
    if (place.begin.load() != 0) continue;
    place.text = strdup(path.c_str());
    place.end = reinterpret_cast<uintptr_t>(data) + size;
    place.begin = reinterpret_cast<uintptr_t>(data);
    return;
  }
}

void UnwatchMapping(const char* data) {
  const MutexLock lock(places_mutex);
  for (Place& place : places) {
    if (place.begin.load() != reinterpret_cast<uintptr_t>(data)) continue;
    place.begin = 0;
    free(const_cast<char*>(place.text.exchange(nullptr)));
    return;
  }
}

}  // namespace mozgach
