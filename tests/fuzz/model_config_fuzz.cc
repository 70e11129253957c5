// Any bytes as config.json: sizes that are accepted are sizes that a model can have.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "planner/model_config.h"
#include "tests/trainer/checkpoint/temporary_directory.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mozgach::TemporaryDirectory base;
  base.Write("config.json", std::string(reinterpret_cast<const char*>(data), size));
  const auto config = mozgach::ModelConfig::Load(base.path());
  if (!config.ok()) return 0;
  if (config->hidden_size <= 0 || config->num_hidden_layers <= 0 || config->vocab_size <= 0 ||
      config->num_attention_heads <= 0 || config->num_key_value_heads <= 0 ||
      config->head_dim <= 0 || config->num_attention_heads % config->num_key_value_heads != 0) {
    abort();
  }
  return 0;
}
