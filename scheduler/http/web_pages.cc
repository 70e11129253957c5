#include "scheduler/http/web_pages.h"

#include <prometheus/text_serializer.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "nlohmann/json.hpp"
#include "scheduler/http/metrics.h"

namespace mozgach {
namespace {

constexpr char kHtml[] = "text/html; charset=utf-8";

constexpr char kHead[] =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>mozgach</title>\n"
    "<style>body{font:16px/1.5 sans-serif;margin:3em auto;max-width:40em;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em 1.5em .2em 0;text-align:left}"
    "td+td{text-align:right}.bad{color:#b00}</style>\n<h1>mozgach</h1>\n";

constexpr char kFoot[] =
    "<p><a href=\"/metrics\">/metrics</a> for Prometheus, <a href=\"/health\">/health</a> for "
    "monitors; <code>mozgachctl ps</code> and <code>mozgachctl watch</code> show each job.</p>\n"
    "</html>\n";

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Row(const std::string& name, int64_t count) {
  return absl::StrCat("<tr><td>", name, "</td><td>", count, "</td></tr>\n");
}

absl::StatusOr<std::string> FrontPage(Core& core, const Now& now) {
  SchedulerState& state = core.state();
  std::string page = kHead;
  if (const std::string why = state.WhyNotWritable(); !why.empty()) {
    absl::StrAppend(&page, "<p class=\"bad\">The scheduler cannot write: ", Escaped(why), "</p>\n");
  }
  absl::StrAppend(&page, "<table>\n<tr><th>jobs</th></tr>\n");
  for (const JobState job_state : kJobStates) {
    ASSIGN_OR_RETURN(const int64_t count, state.queue.Count(job_state));
    absl::StrAppend(&page, Row(Name(job_state), count));
  }
  int64_t up = 0, lost = 0;
  for (const auto& [name, worker] : state.worker_table.workers()) {
    ++(WorkerTable::IsLost(worker, now, state.config.lease) ? lost : up);
  }
  absl::StrAppend(&page, "<tr><th>workers</th></tr>\n", Row("calling", up), Row("lost", lost),
                  "</table>\n", kFoot);
  return page;
}

WebAnswer Front(CoreExecutor& executor) {
  const absl::StatusOr<std::string> page = executor.Run(FrontPage);
  if (page.ok()) return {200, kHtml, *page};
  return {500, "text/plain; charset=utf-8", absl::StrCat(page.status().message(), "\n")};
}

WebAnswer Health(CoreExecutor& executor) {
  const std::string reason =
      executor.RunWithoutSync([](Core& core, const Now&) { return core.state().WhyNotWritable(); });
  nlohmann::json health = {{"status", reason.empty() ? "ok" : "trouble"}};
  if (!reason.empty()) health["reason"] = reason;
  return {reason.empty() ? 200 : 503, "application/json",
          health.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

}  // namespace

WebPages PagesOf(CoreExecutor& executor, const RefusedCalls& refused) {
  const auto metrics = std::make_shared<Metrics>(executor, refused);
  return {{"/", [&executor] { return Front(executor); }},
          {"/health", [&executor] { return Health(executor); }},
          {"/metrics", [metrics] {
             return WebAnswer{200, "text/plain; version=0.0.4; charset=utf-8",
                              prometheus::TextSerializer().Serialize(metrics->Collect())};
           }}};
}

}  // namespace mozgach
