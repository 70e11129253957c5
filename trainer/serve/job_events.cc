#include "trainer/serve/job_events.h"

#include <iostream>
#include <string>
#include <utility>

#include "common/terminal_text.h"
#include "common/work_count.h"
#include "nlohmann/json.hpp"

namespace mozgach {

using Json = nlohmann::json;

JobEvents::JobEvents(const AttemptId& id, const PinnedChoices& pinned, EventWriter& events,
                     const Inbox& inbox)
    : id_(id), pinned_(pinned), events_(events), inbox_(inbox) {}

void JobEvents::Write(const char* event, Json fields) {
  fields["event"] = event;
  fields["job"] = id_.job;
  fields["attempt"] = id_.attempt;
  events_.Write(fields);
}

void JobEvents::Preparing() { Write("phase", {{"phase", "preparing"}}); }

void JobEvents::OnPrepared(const PreparedJob& prepared) {
  prepared_ = prepared;
  const DataReport& report = prepared.report;
  Write("phase", {{"phase", "training"},
                  {"data",
                   {{"rows", report.rows},
                    {"dropped", report.dropped},
                    {"truncated", report.truncated},
                    {"tokens", report.tokens},
                    {"trained_tokens", report.trained_tokens}}}});
}

void JobEvents::OnStarted(int64_t step, int64_t steps, std::optional<double> mean_loss) {
  Write("started", {{"step", step},
                    {"steps", steps},
                    {"mean_loss", mean_loss ? Json(*mean_loss) : Json(nullptr)},
                    {"train_rows", prepared_.train_rows},
                    {"trainable_parameters", prepared_.trainable_parameters},
                    {"gradient_checkpointing", prepared_.recompute != Recompute::kNothing},
                    {"recompute", RecomputeName(prepared_.recompute)},
                    {"recomputed_layers", prepared_.recomputed_layers == kEveryLayer
                                              ? Json(nullptr)
                                              : Json(prepared_.recomputed_layers)},
                    {"max_length", prepared_.max_length},
                    {"memory_planned_bytes", prepared_.memory_planned_bytes},
                    {"pinned", PinnedJson(pinned_)}});
}

void JobEvents::OnSteppedDown(int64_t step, int64_t rung, const std::string& what) {
  pinned_.rung = rung;
  Write("stepped_down", {{"step", step},
                         {"rung", rung},
                         {"message", "memory ran out after step " + std::to_string(step) +
                                         "; from there on " + what},
                         {"pinned", PinnedJson(pinned_)}});
}

void JobEvents::OnStep(const StepReport& report) {
  Write("step", {{"step", report.step},
                 {"steps", report.steps},
                 {"loss", report.loss},
                 {"step_loss", report.step_loss},
                 {"mean_loss", report.mean_loss},
                 {"learning_rate", report.learning_rate},
                 {"grad_norm", report.grad_norm},
                 {"tokens", report.tokens},
                 {"tokens_per_second", report.tokens_per_second},
                 {"memory_peak_bytes", report.memory_peak_bytes}});
}

void JobEvents::OnCheckpoint(int64_t step, const std::filesystem::path& path) {
  Write("checkpoint", {{"step", step}, {"path", path.string()}});
}

void JobEvents::OnEvaluation(int64_t step, const Json& metrics, bool final) {
  Write("evaluation", {{"step", step}, {"metrics", metrics}});
}

void JobEvents::OnEvaluating() { Write("phase", {{"phase", "evaluating"}}); }

void JobEvents::OnNotice(const std::string& text) {
  std::cerr << "job " << id_.job << " attempt " << id_.attempt << ": " << EscapeLine(text)
            << std::endl;
}

Interruption JobEvents::Poll() {
  NoteWork();
  return inbox_.Current();
}

Json PinnedJson(const PinnedChoices& pinned) {
  Json json = Json::object();
  if (pinned.compute_dtype) json["compute_dtype"] = *pinned.compute_dtype;
  if (pinned.threads) json["threads"] = *pinned.threads;
  if (pinned.rung) json["rung"] = *pinned.rung;
  return json;
}

}  // namespace mozgach
