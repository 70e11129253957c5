#include "trainer/adapter/model_card.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Json = nlohmann::json;

// Characters that YAML forbids in a stream, or takes for line breaks.
bool MustEscape(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
         c == 0xfffe || c == 0xffff;
}

// A double-quoted YAML scalar: always a string, whatever `text` is. Bytes that are not UTF-8
// become U+FFFD.
std::string YamlString(const std::string& text) {
  std::string quoted = "\"";
  for (size_t offset = 0; offset < text.size();) {
    const char32_t c = NextCodePoint(text, &offset);
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, static_cast<char>(c)));
    } else if (MustEscape(c)) {
      absl::StrAppendFormat(&quoted, "\\u%04X", static_cast<uint32_t>(c));
    } else {
      AppendUtf8(c, &quoted);
    }
  }
  return quoted + "\"";
}

// YAML 1.1 takes "1e-05" for a string: a number needs a point.
std::string YamlNumber(double value) {
  std::string text = absl::StrFormat("%.17g", value);
  const double rounded = std::strtod(absl::StrFormat("%.15g", value).c_str(), nullptr);
  if (rounded == value) text = absl::StrFormat("%.15g", value);
  if (text.find('.') == std::string::npos) text.insert(std::min(text.find('e'), text.size()), ".0");
  return text;
}

bool IsFinite(const Json& value) { return value.is_number() && std::isfinite(value.get<double>()); }

// The hub's model-index; "" without a metric, since results must have some.
std::string ModelIndex(const DomainSpec& spec, const Json& adapter_metrics) {
  std::string metrics;
  for (const auto& [name, value] : adapter_metrics.items()) {
    if (!IsFinite(value)) continue;
    absl::StrAppend(&metrics, "    - type: ", YamlString(name),
                    "\n      value: ", YamlNumber(value.get<double>()), "\n");
  }
  if (metrics.empty()) return "";
  const std::string domain = YamlString(spec.domain);
  return absl::StrCat(
      "model-index:\n- name: ", domain,
      "\n  results:\n  - task:\n      type: text-generation\n    dataset:\n      name: ", domain,
      "\n      type: ", domain, "\n    metrics:\n", metrics);
}

std::string FrontMatter(const DomainSpec& spec, const Json& adapter_metrics) {
  return absl::StrCat(
      "---\nbase_model: ", YamlString(spec.base),
      "\nlibrary_name: peft\npipeline_tag: text-generation\ntags:\n- lora\n- mozgach\n- ",
      YamlString("base_model:adapter:" + spec.base), "\n", ModelIndex(spec, adapter_metrics),
      "---\n");
}

std::string Score(const Json& metrics, const std::string& name) {
  const auto found = metrics.find(name);
  if (found == metrics.end() || !found->is_number()) return "";
  return absl::StrFormat("%.4f", found->get<double>());
}

std::string ScoreTable(const Json& base, const Json& adapter) {
  std::string text = "| metric | bare base | with the adapter |\n|---|---|---|\n";
  for (const auto& [name, value] : adapter.items()) {
    absl::StrAppendFormat(&text, "| %s | %s | %s |\n", name, Score(base, name),
                          Score(adapter, name));
  }
  return text;
}

std::string Settings(const DomainSpec& spec, const AdapterFacts& facts) {
  std::string text = absl::StrFormat(
      "| rank | alpha | learning rate | steps | rows | tokens | seconds | seed |\n"
      "|---|---|---|---|---|---|---|---|\n| %d | %g | %g | %d | %d | %d | %.1f | %d |\n",
      spec.lora.r, spec.lora.Alpha(), spec.training.learning_rate, facts.steps, facts.train_rows,
      facts.tokens, facts.train_seconds, spec.training.seed);
  return absl::StrCat(text, "\nDigest of the base's files: `", facts.base_digest, "`\n");
}

}  // namespace

std::string ModelCard(const DomainSpec& spec, const Json& metrics, const AdapterFacts& facts) {
  const Json none = Json::object();
  const auto side = [&](const char* key) -> const Json& {
    const auto found = metrics.find(key);
    return found != metrics.end() && found->is_object() ? *found : none;
  };
  const Json &base = side("base"), &adapter = side("adapter");
  std::string text = FrontMatter(spec, adapter);
  absl::StrAppend(&text, "\n# ", spec.domain, "\n\n");
  if (!spec.description.empty()) absl::StrAppend(&text, spec.description, "\n\n");
  absl::StrAppend(
      &text, "A LoRA adapter for `", spec.base, "`, trained with mozgach.\n\n", "## Scores\n\n",
      adapter.empty() ? "No rows were held out to score it on.\n" : ScoreTable(base, adapter),
      "\n## Training\n\n", Settings(spec, facts), "\n## Use\n\n```python\n",
      "from peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n",
      "base = AutoModelForCausalLM.from_pretrained(", Json(spec.base).dump(),
      ")\nmodel = PeftModel.from_pretrained(base, \"path/of/this/directory\")\n```\n");
  return text;
}

}  // namespace mozgach
