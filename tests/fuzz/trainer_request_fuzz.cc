// Any bytes as what a worker asks of the trainer, line by line.
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <variant>

#include "trainer/serve/inbox.h"
#include "trainer/serve/line_reader.h"
#include "trainer/serve/request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  mozgach::LineReader lines(in, 4096);
  mozgach::Inbox inbox;
  for (;;) {
    const auto line = lines.Next();
    if (line.ok() && !line->has_value()) break;
    if (!line.ok()) continue;
    const auto request = mozgach::ParseRequest(**line);
    if (!request.ok()) continue;
    if (const auto* train = std::get_if<mozgach::TrainRequest>(&*request)) {
      if (train->id.job < 1 || train->id.attempt < 1) abort();
      (void)inbox.Add(*train);
    }
    if (const auto* cancel = std::get_if<mozgach::CancelRequest>(&*request)) {
      inbox.Cancel(cancel->id, cancel->save);
    }
  }
  inbox.Close();
  if (inbox.Next().has_value()) abort();
  return 0;
}
