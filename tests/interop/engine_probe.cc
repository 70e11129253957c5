// Lets Python tests see what the engine computes: reads one JSON request, writes tensors and JSON.
//
//   engine_probe REQUEST.json
//
//   {"do": "nf4", "tensors": IN, "out": OUT}
//   {"do": "four_bit", "tensors": IN, "shapes": {name: [out, in]}, "out": OUT}
//   {"do": "logits" | "gradients", "base": DIR, "adapter": DIR or absent, "quantize": bool,
//    "rope_scaling": {…} or absent, "dtype": "float32", "documents": [[ids]], "checkpoint": bool,
//    "out": OUT}
//   {"do": "generate", "base": …, "prompts": [[ids]], "max_new_tokens": n,
//    "stop_ids": [ids]} → stdout
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/nll_loss.h>
#include <ATen/ops/tensor.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "nlohmann/json.hpp"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/device/runtime.h"
#include "trainer/models/causal_lm.h"
#include "trainer/models/generation.h"
#include "trainer/quant/four_bit_checkpoint.h"
#include "trainer/quant/nf4.h"
#include "trainer/quant/nf4_tensors.h"

namespace mozgach {
namespace {

using nlohmann::json;

struct Setup {
  std::unique_ptr<CausalLm> model;
  std::optional<LoraAdapter> adapter;
  const LoraAdapter* AdapterOrNull() const { return adapter ? &*adapter : nullptr; }
};

absl::StatusOr<Setup> Load(const json& request) {
  LoadOptions options;
  options.quantize = request.value("quantize", false);
  options.compute_dtype =
      request.value("dtype", "float32") == "bfloat16" ? at::kBFloat16 : at::kFloat;
  Setup setup;
  ASSIGN_OR_RETURN(setup.model, CausalLm::Load(request["base"].get<std::string>(), options));
  if (request.contains("rope_scaling")) {
    ASSIGN_OR_RETURN(const auto extension, ReadRopeScaling(request["rope_scaling"]));
    setup.model->ExtendContext(extension);
  }
  if (request.contains("adapter")) {
    ASSIGN_OR_RETURN(setup.adapter, LoraAdapter::Load(request["adapter"].get<std::string>(),
                                                      setup.model->config(), at::kCPU));
  }
  return setup;
}

TokenBatch Batch(const json& documents) {
  std::vector<int64_t> ids;
  TokenBatch batch;
  batch.document_offsets.push_back(0);
  for (const json& document : documents) {
    for (const json& id : document) ids.push_back(id.get<int64_t>());
    batch.document_offsets.push_back(static_cast<int64_t>(ids.size()));
  }
  batch.ids = at::tensor(ids, at::kLong);
  return batch;
}

absl::Status Logits(const json& request) {
  ASSIGN_OR_RETURN(const Setup setup, Load(request));
  at::NoGradGuard no_gradients;
  ForwardOptions options;
  options.adapter = setup.AdapterOrNull();
  const at::Tensor hidden = setup.model->Forward(Batch(request["documents"]), options);
  return WriteSafetensors(request["out"].get<std::string>(),
                          {{"logits", setup.model->Logits(hidden)}}, {});
}

// Sum of the NLL of every token but the first of each document.
at::Tensor Loss(const CausalLm& model, const TokenBatch& batch, const ForwardOptions& options) {
  const at::Tensor hidden = model.Forward(batch, options);
  const at::Tensor scores = at::log_softmax(model.Logits(hidden), 1);
  at::Tensor loss = at::tensor(0.0f);
  for (size_t i = 0; i + 1 < batch.document_offsets.size(); ++i) {
    const int64_t begin = batch.document_offsets[i], end = batch.document_offsets[i + 1];
    loss = loss.add(at::nll_loss(scores.narrow(0, begin, end - begin - 1),
                                 batch.ids.narrow(0, begin + 1, end - begin - 1), {},
                                 at::Reduction::Sum));
  }
  return loss;
}

absl::Status Gradients(const json& request) {
  ASSIGN_OR_RETURN(const Setup setup, Load(request));
  ForwardOptions options;
  options.adapter = setup.AdapterOrNull();
  options.recompute = request.value("checkpoint", false) ? Recompute::kLayers : Recompute::kNothing;
  const at::Tensor loss = Loss(*setup.model, Batch(request["documents"]), options);
  loss.backward();
  std::vector<std::pair<std::string, at::Tensor>> tensors = {{"loss", loss.detach()}};
  for (const auto& [name, tensor] : setup.adapter->NamedTensors(setup.model->config())) {
    tensors.emplace_back(name, tensor.grad());
  }
  return WriteSafetensors(request["out"].get<std::string>(), tensors, {});
}

absl::Status GenerateText(const json& request) {
  ASSIGN_OR_RETURN(const Setup setup, Load(request));
  GenerationOptions options;
  options.max_new_tokens = request.value("max_new_tokens", int64_t{16});
  options.stop_ids = request.value("stop_ids", std::vector<int32_t>{});
  ASSIGN_OR_RETURN(const auto tokens,
                   Generate(*setup.model, setup.AdapterOrNull(),
                            request["prompts"].get<std::vector<std::vector<int32_t>>>(), options));
  std::cout << json(tokens).dump() << "\n";
  return absl::OkStatus();
}

absl::Status Nf4(const json& request) {
  ASSIGN_OR_RETURN(const WeightFiles files,
                   WeightFiles::OpenFile(request["tensors"].get<std::string>()));
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : files.Names()) {
    ASSIGN_OR_RETURN(const at::Tensor weight, files.Read(name));
    ASSIGN_OR_RETURN(const QuantizedWeight nf4, QuantizeNf4(weight, /*double_quant=*/true));
    ASSIGN_OR_RETURN(const QuantizedWeight plain, QuantizeNf4(weight, /*double_quant=*/false));
    at::Tensor own_type = at::empty(weight.sizes(), weight.scalar_type());
    nf4.DequantizeInto(own_type);
    at::Tensor wide = at::empty(weight.sizes(), at::kFloat);
    nf4.DequantizeInto(wide);
    tensors.emplace_back(name + ".codes", nf4.codes);
    tensors.emplace_back(name + ".absmax", nf4.absmax);
    tensors.emplace_back(name + ".nested_absmax", nf4.nested_absmax);
    tensors.emplace_back(name + ".offset", at::tensor(nf4.offset));
    tensors.emplace_back(name + ".scales", plain.absmax);
    tensors.emplace_back(name + ".dequantized", own_type);
    tensors.emplace_back(name + ".dequantized_f32", wide);
  }
  return WriteSafetensors(request["out"].get<std::string>(), tensors, {});
}

// Each weight made dense in every type, on the way of this device and on that of the others.
absl::Status FourBit(const json& request) {
  ASSIGN_OR_RETURN(const WeightFiles files,
                   WeightFiles::OpenFile(request["tensors"].get<std::string>()));
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, shape] : request["shapes"].items()) {
    ASSIGN_OR_RETURN(const QuantizedWeight weight,
                     ReadFourBit(files, name, shape.get<std::vector<int64_t>>()));
    for (const auto& [type_name, type] :
         {std::pair("float32", at::kFloat), {"bfloat16", at::kBFloat16}, {"float16", at::kHalf}}) {
      at::Tensor dense = at::empty(weight.shape, type), by_tensors = at::empty(weight.shape, type);
      weight.DequantizeInto(dense);
      DequantizeByTensors(weight,
                          weight.double_quantized() ? ScalesByTensors(weight) : weight.Scales(),
                          by_tensors);
      tensors.emplace_back(name + "." + type_name, dense);
      tensors.emplace_back(name + "." + type_name + ".by_tensors", by_tensors);
    }
  }
  return WriteSafetensors(request["out"].get<std::string>(), tensors, {});
}

absl::Status Answer(const json& request) {
  SetThreads(request.value("threads", 0));
  const std::string what = request.value("do", "");
  if (what == "logits") return Logits(request);
  if (what == "gradients") return Gradients(request);
  if (what == "generate") return GenerateText(request);
  if (what == "nf4") return Nf4(request);
  if (what == "four_bit") return FourBit(request);
  return absl::InvalidArgumentError("nothing to do for '" + what + "'");
}

}  // namespace
}  // namespace mozgach

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "engine_probe REQUEST.json\n";
    return 2;
  }
  mozgach::StartRuntime();
  std::ifstream file(argv[1]);
  const absl::Status status = mozgach::Answer(nlohmann::json::parse(file));
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
