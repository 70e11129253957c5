#include "trainer/data/chat_report.h"

#include <exception>
#include <memory>

#include "common/utf8.h"
#include "trainer/chat/chat_template.h"
#include "trainer/data/example.h"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {
namespace {

constexpr size_t kErrorBytesMax = 1024;

Row SampleRow() {
  Row row;
  row.messages = {{"user", "Name the harbour."},
                  {"assistant", "North Quay."},
                  {"user", "And the river?"},
                  {"assistant", "The Tay."}};
  return row;
}

absl::Status Inspect(const std::filesystem::path& base_dir, ChatReport* report) {
  ASSIGN_OR_RETURN(const auto chat_template, ChatTemplate::Load(base_dir, "auto"));
  report->has_template = chat_template != nullptr;
  if (!report->has_template) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Load(base_dir));
  const ExampleBuilder builder(tokenizer, chat_template, DataSpec());
  ASSIGN_OR_RETURN(const Example example, builder.Build(SampleRow()));
  report->drops_answers = example.answers_lost;
  report->has_no_end_token = !example.answers_lost && example.lacks_end;
  return absl::OkStatus();
}

}  // namespace

ChatReport InspectChat(const std::filesystem::path& base_dir) {
  ChatReport report;
  try {
    const absl::Status status = Inspect(base_dir, &report);
    if (!status.ok()) report.error = Showable(std::string(status.message()));
  } catch (const std::exception& error) {
    report.error = Showable(error.what());
  }
  report.error = Abbreviate(report.error, kErrorBytesMax);
  return report;
}

}  // namespace mozgach
