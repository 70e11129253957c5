#include "trainer/tokenizer/normalizer.h"

#include <string>
#include <utility>
#include <vector>

#include "trainer/tokenizer/nfc.h"
#include "trainer/tokenizer/pattern_field.h"
#include "trainer/tokenizer/regex.h"

namespace mozgach {
namespace {

class Nfc : public Normalizer {
 public:
  absl::Status Apply(TrackedText* text) const override {
    ComposeNfc(text);
    return absl::OkStatus();
  }
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}

  absl::Status Apply(TrackedText* text) const override {
    if (text->text.empty()) return absl::OkStatus();
    Rewriter rewriter(text);
    rewriter.Replace(0, 0, prefix_);
    rewriter.Finish();
    return absl::OkStatus();
  }

 private:
  std::string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(Pattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  absl::Status Apply(TrackedText* text) const override {
    std::vector<Span> matches;
    RETURN_IF_ERROR(pattern_.FindAll(text->text, &matches));
    if (matches.empty()) return absl::OkStatus();
    Rewriter rewriter(text);
    for (const Span& match : matches) rewriter.Replace(match.begin, match.end, content_);
    rewriter.Finish();
    return absl::OkStatus();
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps)
      : steps_(std::move(steps)) {}

  absl::Status Apply(TrackedText* text) const override {
    for (const auto& step : steps_) RETURN_IF_ERROR(step->Apply(text));
    return absl::OkStatus();
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Normalizer>> Normalizer::FromJson(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::string type, json.String("type"));
  if (type == "NFC") return std::make_unique<Nfc>();
  if (type == "Prepend") {
    ASSIGN_OR_RETURN(std::string prefix, json.String("prepend"));
    return std::make_unique<Prepend>(std::move(prefix));
  }
  if (type == "Replace") {
    ASSIGN_OR_RETURN(Pattern pattern, Pattern::FromJson(json));
    ASSIGN_OR_RETURN(std::string content, json.String("content"));
    RETURN_IF_ERROR(pattern.CheckReplacement(json, content));
    return std::make_unique<Replace>(std::move(pattern), std::move(content));
  }
  if (type == "Sequence") {
    ASSIGN_OR_RETURN(const std::vector<JsonObject> parts, json.Objects("normalizers"));
    std::vector<std::unique_ptr<Normalizer>> steps;
    for (const JsonObject& part : parts) {
      ASSIGN_OR_RETURN(std::unique_ptr<Normalizer> step, FromJson(part));
      steps.push_back(std::move(step));
    }
    return std::make_unique<NormalizerSequence>(std::move(steps));
  }
  return json.Unsupported("type", type);
}

}  // namespace mozgach
