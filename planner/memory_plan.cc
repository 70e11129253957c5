#include "planner/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "planner/ceil_divide.h"
#include "planner/linear_trace.h"
#include "planner/step_bounds.h"
#include "planner/step_trace.h"

namespace mozgach {
namespace {

constexpr int64_t kBlock = 64;         // elements per scale
constexpr int64_t kNestedBlock = 256;  // scales per nested scale
constexpr int64_t kLevelsBytes = 256 * 4;
constexpr int64_t kCpuRuntimeBytes = int64_t{176} << 20;
constexpr int64_t kGpuRuntimeBytes = int64_t{640} << 20;

// Everything that lies in memory from start to end.
class Residents {
 public:
  Residents(const ModelConfig& config, const AdapterShape& adapter, const ComputeSetup& setup,
            const StepShape& shape, MemoryTrace& memory)
      : config_(config), adapter_(adapter), setup_(setup), shape_(shape), memory_(memory) {}

  void TakeAll() {
    TakeWeights();
    TakeNormsAndBiases();
    memory_.Take(MemoryLine::kHead, config_.vocab_size * config_.hidden_size * setup_.element);
    memory_.Take(MemoryLine::kDequantBuffer, setup_.element * LargestMadeDense());
    memory_.Take(MemoryLine::kAdapter, 4 * adapter_.Parameters(config_));
    TakeOptimizer();
    memory_.Take(MemoryLine::kRuntime, RuntimeBytes(setup_.device));
  }

 private:
  void TakeWeights() {
    const int64_t layers = config_.num_hidden_layers;
    if (setup_.quantize && setup_.double_quant) memory_.Take(MemoryLine::kScales, kLevelsBytes);
    for (int i = 0; i < kProjections; ++i) {
      const auto [out, in] = ProjectionShape(config_, static_cast<Projection>(i));
      if (!setup_.quantize) {
        memory_.Take(MemoryLine::kDenseWeights, layers * out * in * setup_.element);
        continue;
      }
      const int64_t blocks = CeilDivide(out * in, kBlock);
      memory_.Take(MemoryLine::kQuantizedWeights, layers * CeilDivide(out * in, 2));
      memory_.Take(MemoryLine::kScales,
                   layers * (setup_.double_quant ? blocks + 4 * CeilDivide(blocks, kNestedBlock)
                                                 : 4 * blocks));
    }
  }

  void TakeNormsAndBiases() {
    const LinearGroups groups(config_);
    const int64_t norm_element = config_.norms_from_one ? 4 : setup_.element;
    const int64_t norms = (config_.output_norms ? 4 : 2) * config_.hidden_size +
                          (config_.head_norms ? 2 * config_.head_dim : 0);
    const int64_t biases = (config_.attention_bias ? groups.qkv.rows : 0) +
                           (config_.attention_output_bias ? groups.output.rows : 0) +
                           (config_.mlp_bias ? groups.gate_up.rows + groups.down.rows : 0);
    memory_.Take(MemoryLine::kDenseWeights,
                 config_.num_hidden_layers * (norms * norm_element + biases * setup_.element) +
                     config_.hidden_size * norm_element);
  }

  // Elements of the largest weight that is made in the buffer.
  int64_t LargestMadeDense() const {
    const LinearGroups groups(config_);
    MemoryTrace unused;
    const LinearTrace linear(config_, adapter_, setup_, unused);
    const int64_t layer = *adapter_.layers.begin();
    const int64_t tokens = std::max(shape_.tokens, shape_.evaluation_tokens);
    int64_t largest = 0;
    for (const LinearGroup* group : {&groups.qkv, &groups.output, &groups.gate_up, &groups.down}) {
      if (setup_.quantize || linear.Merges(layer, *group, tokens)) {
        largest = std::max(largest, group->elements());
      }
    }
    return largest;
  }

  void TakeOptimizer() {
    for (const Projection projection : adapter_.targets) {
      const auto [out, in] = ProjectionShape(config_, projection);
      for (const int64_t numbers : {adapter_.rank * in, out * adapter_.rank}) {
        memory_.Take(MemoryLine::kOptimizer,
                     static_cast<int64_t>(adapter_.layers.size()) * MomentBytes(numbers));
      }
    }
  }

  // Two moments, and a count of steps.
  int64_t MomentBytes(int64_t numbers) const {
    if (setup_.optimizer == Optimizer::kAdamW || numbers < kLeastBlockwise) return 8 * numbers + 4;
    return 2 * (numbers + 4 * CeilDivide(numbers, kMomentBlock));
  }

  const ModelConfig& config_;
  const AdapterShape& adapter_;
  const ComputeSetup& setup_;
  const StepShape& shape_;
  MemoryTrace& memory_;
};

}  // namespace

int64_t MemoryPlan::total() const {
  return std::accumulate(lines.begin(), lines.end(), int64_t{0});
}

int64_t MemoryPlan::allocated() const { return total() - mapped - Line(MemoryLine::kRuntime); }

int64_t CheapRecomputeSaves(const ModelConfig& config, const ComputeSetup& setup, int64_t layers,
                            int64_t tokens) {
  const int64_t heads =
      (config.num_attention_heads + 2 * config.num_key_value_heads) * config.head_dim;
  const int64_t remade = (2 * config.hidden_size + config.intermediate_size) * setup.element +
                         heads * setup.attention_element(config.head_dim);
  const int64_t kept_instead = heads * setup.element;  // what the product gave
  // One layer's are there while they are made again.
  return std::max<int64_t>(0, layers - 1) * tokens * std::max<int64_t>(0, remade - kept_instead);
}

MemoryLines HeldAfterAStep(const ModelConfig& config, const AdapterShape& adapter,
                           const ComputeSetup& setup, const StepShape& shape) {
  MemoryTrace memory;
  StepTrace step(config, adapter, setup, shape, memory);
  step.Train();
  step.Evaluate();
  step.Generate();
  return memory.now();
}

absl::StatusOr<MemoryPlan> PlanMemory(const ModelConfig& config, const LoraSpec& lora,
                                      const ComputeSetup& setup, const StepShape& shape) {
  ASSIGN_OR_RETURN(const AdapterShape adapter, ShapeOfAdapter(config, lora));
  MemoryTrace memory;
  Residents(config, adapter, setup, shape, memory).TakeAll();
  StepTrace step(config, adapter, setup, shape, memory);
  step.Train();
  MemoryPlan plan;
  plan.lines = memory.at_peak();
  const int64_t training = memory.peak();
  step.Evaluate();
  step.Generate();
  plan.lines[static_cast<size_t>(MemoryLine::kEvaluation)] = memory.peak() - training;
  plan.trainable_parameters = adapter.Parameters(config);
  if (setup.head_in_file) plan.mapped = plan.Line(MemoryLine::kHead);
  return plan;
}

ComputeSetup SetupOf(const ModelConfig& config, const DomainSpec& spec, DeviceClass device,
                     int64_t threads) {
  ComputeSetup setup;
  setup.device = device;
  setup.threads = std::max<int64_t>(1, threads);
  std::string type = spec.quantization.bnb_4bit_compute_dtype;
  if (type == "auto") type = device == DeviceClass::kCpu ? "float32" : "bfloat16";
  setup.element = type == "float32" ? 4 : 2;
  setup.stored_element = config.torch_dtype == "float32" ? 4 : 2;
  setup.head_in_file = device == DeviceClass::kCpu && config.torch_dtype == type;
  setup.quantize = spec.quantization.load_in_4bit;
  setup.double_quant = spec.quantization.bnb_4bit_use_double_quant;
  setup.dropout = spec.lora.lora_dropout;
  setup.optimizer = spec.training.optim == "adamw_8bit" ? Optimizer::kAdamW8bit : Optimizer::kAdamW;
  setup.checkpointing = spec.training.gradient_checkpointing == "true" ? Checkpointing::kPerLayer
                                                                       : Checkpointing::kNone;
  return setup;
}

int64_t RuntimeBytes(DeviceClass device) {
  return device == DeviceClass::kCpu ? kCpuRuntimeBytes : kGpuRuntimeBytes;
}

}  // namespace mozgach
