// The README.md of an adapter, which the hub shows. Format: huggingface.co/docs/hub/model-cards.
#pragma once

#include <string>

#include "common/domain/domain_spec.h"
#include "nlohmann/json_fwd.hpp"
#include "trainer/adapter/peft_directory.h"

namespace mozgach {

// Returns YAML front matter (base_model, library_name, tags, and a model-index if the adapter has
// finite metrics), then text for readers: scores compared with the bare base, settings, how to load
// it. The front matter is valid YAML for every name and number.
std::string ModelCard(const DomainSpec& spec, const nlohmann::json& metrics,
                      const AdapterFacts& facts);

}  // namespace mozgach
