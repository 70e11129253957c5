#include "planner/known_device.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/nearest_name.h"
#include "common/size_text.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;
constexpr uint64_t kLeastBytes = 64 << 20;
constexpr uint64_t kMostBytes = 1'000'000'000'000'000;
constexpr size_t kNamesShown = 8;

std::string Plain(std::string_view name) {
  std::string plain = absl::AsciiStrToLower(std::string(name));
  for (const char* maker : {"nvidia", "geforce", "apple"}) {
    plain = absl::StrReplaceAll(plain, {{maker, ""}});
  }
  plain = absl::StrReplaceAll(plain, {{"-", " "}, {"_", " "}});
  absl::RemoveExtraAsciiWhitespace(&plain);
  return plain;
}

// Words in common, and half a letter's worth for each that is nearly so.
int Likeness(const std::string& typed, const std::string& name) {
  int likeness = 0;
  size_t begin = 0;
  while (begin < typed.size()) {
    const size_t end = std::min(typed.find(' ', begin), typed.size());
    const std::string word = typed.substr(begin, end - begin);
    if (absl::StrContains(absl::StrCat(" ", name, " "), absl::StrCat(" ", word, " "))) {
      likeness += 4;
    } else if (word.size() > 1 && absl::StrContains(name, word)) {
      likeness += 2;
    }
    begin = end + 1;
  }
  return likeness;
}

std::vector<std::string> NamesNear(const std::string& typed) {
  std::vector<std::pair<int, std::string>> near;
  for (const KnownDevice& device : KnownDevices()) {
    const std::string name = Plain(device.name);
    int likeness = Likeness(typed, name);
    if (EditDistance(typed, name) <= 3) likeness += 3;
    if (likeness > 0) near.emplace_back(-likeness, device.name);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (const auto& [likeness, name] : near) {
    if (names.size() < kNamesShown) names.push_back(name);
  }
  if (!names.empty()) return names;
  return {"RTX 3090", "RTX 4090", "RTX 5060 Ti", "A100 80GB", "H100", "H200", "M4 Max 64GB"};
}

}  // namespace

const std::vector<KnownDevice>& KnownDevices() {
  static const std::vector<KnownDevice> kDevices = [] {
    std::vector<KnownDevice> devices;
    const auto gpu = [&](const char* name, int64_t gib) {
      devices.push_back({name, DeviceClass::kGpu, gib * kGiB});
    };
    gpu("GTX 1080 Ti", 11);
    gpu("RTX 2080 Ti", 11);
    gpu("RTX 3060", 12);
    gpu("RTX 3070", 8);
    gpu("RTX 3080", 10);
    gpu("RTX 3090", 24);
    gpu("RTX 3090 Ti", 24);
    gpu("RTX 4060", 8);
    gpu("RTX 4060 Ti", 16);
    gpu("RTX 4070", 12);
    gpu("RTX 4070 Ti", 12);
    gpu("RTX 4070 Ti Super", 16);
    gpu("RTX 4080", 16);
    gpu("RTX 4090", 24);
    gpu("RTX 5060", 8);
    gpu("RTX 5060 Ti", 16);
    gpu("RTX 5070", 12);
    gpu("RTX 5070 Ti", 16);
    gpu("RTX 5080", 16);
    gpu("RTX 5090", 32);
    gpu("RTX A4000", 16);
    gpu("RTX A5000", 24);
    gpu("RTX A6000", 48);
    gpu("RTX 6000 Ada", 48);
    gpu("T4", 16);
    gpu("V100 16GB", 16);
    gpu("V100 32GB", 32);
    gpu("A10", 24);
    gpu("A30", 24);
    gpu("A40", 48);
    gpu("L4", 24);
    gpu("L40S", 48);
    gpu("A100 40GB", 40);
    gpu("A100 80GB", 80);
    gpu("H100", 80);
    gpu("H200", 141);
    gpu("B200", 180);
    for (const char* chip : {"M1", "M2", "M3", "M4"}) {
      for (const int64_t gib : {8, 16, 24}) gpu(absl::StrCat(chip, " ", gib, "GB").c_str(), gib);
      for (const int64_t gib : {16, 18, 24, 32, 36, 48}) {
        gpu(absl::StrCat(chip, " Pro ", gib, "GB").c_str(), gib);
      }
      for (const int64_t gib : {32, 36, 48, 64, 96, 128}) {
        gpu(absl::StrCat(chip, " Max ", gib, "GB").c_str(), gib);
      }
      for (const int64_t gib : {64, 96, 128, 192}) {
        gpu(absl::StrCat(chip, " Ultra ", gib, "GB").c_str(), gib);
      }
    }
    return devices;
  }();
  return kDevices;
}

absl::StatusOr<KnownDevice> FindDevice(std::string_view name) {
  const std::string typed = Plain(name);
  for (const KnownDevice& device : KnownDevices()) {
    const std::string known = Plain(device.name);
    if (typed == known || (!typed.empty() && absl::EndsWith(known, absl::StrCat(" ", typed)))) {
      return device;
    }
    // "RTX 5060 Ti 16 GB": the size may be said as well.
    const std::string size = absl::StrCat(known, " ", device.memory_bytes / kGiB);
    if (typed == size + "gb" || typed == size + " gb") return device;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--device: '", Abbreviate(name, 60), "' is not known; near it are: ",
                   absl::StrJoin(NamesNear(typed), ", "), ".  Or say --memory SIZE, like 16GiB"));
}

absl::StatusOr<int64_t> ParseMemorySize(std::string_view text) {
  ASSIGN_OR_RETURN(const uint64_t bytes, ParseSize(text));
  if (bytes < kLeastBytes || bytes > kMostBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Abbreviate(text, 60),
                     "' is not enough memory to train, or more than any device has; write a size "
                     "from 64MiB, like 16GiB"));
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace mozgach
