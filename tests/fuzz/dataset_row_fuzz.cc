// Any bytes as lines of a dataset, read in every format.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/dataset/dataset.h"

namespace {

void ReadLine(std::string_view line) {
  for (const char* name : {"auto", "alpaca", "messages", "prompt_completion", "sharegpt", "text"}) {
    const auto row = mozgach::ParseRow(line, *mozgach::ParseRowFormat(name));
    if (!row.ok()) continue;
    if (row->IsConversation() && row->messages.back().role != "assistant") abort();
    if (row->first_target < 0) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    ReadLine(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
