#include "trainer/tokenizer/text/normalizer.h"

#include <string>
#include <utility>
#include <vector>

#include "trainer/tokenizer/text/normal_form.h"
#include "trainer/tokenizer/text/pattern_field.h"
#include "trainer/tokenizer/text/regex.h"
#include "trainer/tokenizer/text/unicode.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

class ToNormalForm : public Normalizer {
 public:
  explicit ToNormalForm(NormalForm form) : form_(form) {}

  absl::Status Apply(TrackedText* text) const override {
    Normalize(form_, text);
    return absl::OkStatus();
  }

 private:
  NormalForm form_;
};

class Lowercase : public Normalizer {
 public:
  absl::Status Apply(TrackedText* text) const override {
    Rewriter rewriter(text);
    std::string lower;
    for (size_t at = 0; at < text->text.size();) {
      const size_t next = at + Utf8Length(text->text[at]);
      const char32_t character = DecodeUtf8(text->text, at);
      lower.clear();
      AppendLowercase(character, &lower);
      if (text->text.compare(at, next - at, lower) != 0) rewriter.Replace(at, next, lower);
      at = next;
    }
    rewriter.Finish();
    return absl::OkStatus();
  }
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  absl::Status Apply(TrackedText* text) const override {
    const std::string_view all = text->text;
    size_t begin = 0;
    while (left_ && begin < all.size() && IsSpace(DecodeUtf8(all, begin))) {
      begin += Utf8Length(all[begin]);
    }
    size_t end = all.size();
    while (right_ && end > begin && IsSpace(DecodeUtf8Before(all, end))) {
      do {
        --end;
      } while (IsUtf8Continuation(all[end]));
    }
    Rewriter rewriter(text);
    rewriter.Replace(0, begin, "");
    rewriter.Replace(end, all.size(), "");
    rewriter.Finish();
    return absl::OkStatus();
  }

 private:
  bool left_;
  bool right_;
};

class PrependPrefix : public Normalizer {
 public:
  explicit PrependPrefix(std::string prefix) : prefix_(std::move(prefix)) {}

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

absl::StatusOr<std::unique_ptr<Normalizer>> MakeReplaceNormalizer(const JsonObject& json) {
  ASSIGN_OR_RETURN(Pattern pattern, Pattern::FromJson(json));
  ASSIGN_OR_RETURN(std::string content, json.String("content"));
  RETURN_IF_ERROR(pattern.CheckReplacement(json, content));
  return std::make_unique<Replace>(std::move(pattern), std::move(content));
}

absl::StatusOr<std::unique_ptr<Normalizer>> MakeNormalizers(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::vector<JsonObject> parts, json.Objects("normalizers"));
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (const JsonObject& part : parts) {
    ASSIGN_OR_RETURN(std::unique_ptr<Normalizer> step, Normalizer::FromJson(part));
    steps.push_back(std::move(step));
  }
  return std::make_unique<NormalizerSequence>(std::move(steps));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Normalizer>> Normalizer::FromJson(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::string type, json.String("type"));
  if (type == "NFC") return std::make_unique<ToNormalForm>(NormalForm::kC);
  if (type == "NFD") return std::make_unique<ToNormalForm>(NormalForm::kD);
  if (type == "NFKC") return std::make_unique<ToNormalForm>(NormalForm::kKC);
  if (type == "NFKD") return std::make_unique<ToNormalForm>(NormalForm::kKD);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "Replace") return MakeReplaceNormalizer(json);
  if (type == "Sequence") return MakeNormalizers(json);
  if (type == "Prepend") {
    ASSIGN_OR_RETURN(std::string prefix, json.String("prepend"));
    return std::make_unique<PrependPrefix>(std::move(prefix));
  }
  if (type == "Strip") {
    ASSIGN_OR_RETURN(const bool left, json.Bool("strip_left", true));
    ASSIGN_OR_RETURN(const bool right, json.Bool("strip_right", true));
    return std::make_unique<Strip>(left, right);
  }
  return json.Unsupported("type", type);
}

}  // namespace mozgach
