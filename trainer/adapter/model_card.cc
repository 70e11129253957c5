#include "trainer/adapter/model_card.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Json = nlohmann::json;

// A JSON string is a YAML string too.
std::string Quoted(const std::string& text) { return Json(text).dump(); }

std::string FrontMatter(const DomainSpec& spec, const Json& adapter_metrics) {
  std::string text = absl::StrCat(
      "---\nbase_model: ", Quoted(spec.base),
      "\nlibrary_name: peft\npipeline_tag: text-generation\ntags:\n- lora\n- mozgach\n- ",
      Quoted("base_model:adapter:" + spec.base), "\nmodel-index:\n- name: ", Quoted(spec.domain),
      "\n  results:\n  - task:\n      type: text-generation\n    dataset:\n      name: ",
      Quoted(spec.domain), "\n      type: ", Quoted(spec.domain), "\n    metrics:\n");
  for (const auto& [name, value] : adapter_metrics.items()) {
    absl::StrAppend(&text, "    - type: ", name, "\n      value: ", value.dump(), "\n");
  }
  if (adapter_metrics.empty()) absl::StrAppend(&text, "    []\n");
  return absl::StrCat(text, "---\n");
}

std::string ScoreTable(const Json& base, const Json& adapter) {
  std::string text = "| metric | bare base | with the adapter |\n|---|---|---|\n";
  for (const auto& [name, value] : adapter.items()) {
    const std::string bare =
        base.contains(name) ? absl::StrFormat("%.4f", base[name].get<double>()) : "";
    absl::StrAppendFormat(&text, "| %s | %s | %.4f |\n", name, bare, value.get<double>());
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
  const Json& base = metrics.contains("base") ? metrics["base"] : none;
  const Json& adapter = metrics.contains("adapter") ? metrics["adapter"] : none;
  std::string text = FrontMatter(spec, adapter);
  absl::StrAppend(&text, "\n# ", spec.domain, "\n\n");
  if (!spec.description.empty()) absl::StrAppend(&text, spec.description, "\n\n");
  absl::StrAppend(&text, "A LoRA adapter for `", spec.base, "`, trained with mozgach.\n\n",
                  "## Scores\n\n", ScoreTable(base, adapter), "\n## Training\n\n",
                  Settings(spec, facts), "\n## Use\n\n```python\n",
                  "from peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n",
                  "base = AutoModelForCausalLM.from_pretrained(", Quoted(spec.base),
                  ")\nmodel = PeftModel.from_pretrained(base, \"path/of/this/directory\")\n```\n");
  return text;
}

}  // namespace mozgach
