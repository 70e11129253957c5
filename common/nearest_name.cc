#include "common/nearest_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace mozgach {
namespace {

constexpr size_t kMaxTypedBytes = 64;

}  // namespace

int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string NearestName(std::string_view typed, const std::vector<std::string>& names) {
  if (typed.empty() || typed.size() > kMaxTypedBytes) return "";
  const std::string lower = absl::AsciiStrToLower(absl::string_view(typed.data(), typed.size()));
  std::string nearest;
  int least = std::min(3, static_cast<int>(typed.size() + 2) / 3) + 1;
  for (const std::string& name : names) {
    const int distance = EditDistance(lower, absl::AsciiStrToLower(name));
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string NearestBase(std::string_view typed, const std::vector<std::string>& names) {
  if (std::string near = NearestName(typed, names); !near.empty()) return near;
  const auto last = [](std::string_view name) {
    return std::string(name.substr(name.rfind('/') + 1));  // npos + 1 is 0
  };
  std::vector<std::string> lasts;
  for (const std::string& name : names) lasts.push_back(last(name));
  const std::string near = NearestName(last(typed), lasts);
  const auto found = std::find(lasts.begin(), lasts.end(), near);
  return near.empty() ? "" : names[static_cast<size_t>(found - lasts.begin())];
}

}  // namespace mozgach
