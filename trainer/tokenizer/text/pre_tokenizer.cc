#include "trainer/tokenizer/text/pre_tokenizer.h"

#include <string>
#include <utility>

#include "trainer/tokenizer/text/byte_level.h"
#include "trainer/tokenizer/text/metaspace.h"
#include "trainer/tokenizer/text/split.h"

namespace mozgach {
namespace {

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> steps)
      : steps_(std::move(steps)) {}

  absl::Status Apply(Words* words) const override {
    for (const auto& step : steps_) RETURN_IF_ERROR(step->Apply(words));
    return absl::OkStatus();
  }
  bool byte_level() const override { return !steps_.empty() && steps_.back()->byte_level(); }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

absl::StatusOr<std::unique_ptr<PreTokenizer>> MakePreTokenizers(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::vector<JsonObject> parts, json.Objects("pretokenizers"));
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const JsonObject& part : parts) {
    if (!steps.empty() && steps.back()->byte_level()) {
      return part.Error("type", "a step after ByteLevel is not supported");
    }
    ASSIGN_OR_RETURN(std::unique_ptr<PreTokenizer> step, PreTokenizer::FromJson(part));
    steps.push_back(std::move(step));
  }
  return std::make_unique<PreTokenizerSequence>(std::move(steps));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PreTokenizer>> PreTokenizer::FromJson(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::string type, json.String("type"));
  if (type == "Sequence") return MakePreTokenizers(json);
  if (type == "Split") return MakeSplit(json);
  if (type == "Digits") return MakeDigits(json);
  if (type == "ByteLevel") return MakeByteLevel(json);
  if (type == "Metaspace") return MakeMetaspace(json);
  return json.Unsupported("type", type);
}

}  // namespace mozgach
