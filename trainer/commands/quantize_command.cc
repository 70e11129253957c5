#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "trainer/commands/commands.h"
#include "trainer/commands/model_flags.h"
#include "trainer/device/torch_status.h"
#include "trainer/quant/quantize_checkpoint.h"

namespace mozgach {
namespace {

struct QuantizeFlags {
  std::string base;
  std::string output;
  bool single = false;
  int64_t shard_bytes = QuantizeOptions().shard_bytes;
  int threads = 0;
};

absl::Status RunQuantize(const QuantizeFlags& flags) {
  UseThreads(flags.threads);
  QuantizeOptions options;
  options.double_quant = !flags.single;
  options.shard_bytes = flags.shard_bytes;
  ASSIGN_OR_RETURN(const QuantizeReport report, CatchTorch([&] {
                     return QuantizeCheckpoint(flags.base, flags.output, options);
                   }));
  std::cout << nlohmann::json{{"output", flags.output},
                              {"quantized_tensors", report.quantized},
                              {"copied_tensors", report.copied},
                              {"bytes", report.bytes}}
            << std::endl;
  return absl::OkStatus();
}

}  // namespace

void AddQuantizeCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<QuantizeFlags>();
  CLI::App* quantize = app.add_subcommand(
      "quantize", "make a bitsandbytes 4-bit checkpoint (NF4) that transformers loads");
  AddBaseFlag(*quantize, &flags->base);
  quantize->add_option("--output", flags->output, "folder to make; it must be empty or not there")
      ->required();
  quantize->add_flag("--no-double-quant", flags->single,
                     "keep the blocks' scales in float32 (0.37 bits more per parameter)");
  quantize->add_option("--shard-bytes", flags->shard_bytes, "size of a file, about")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 50))
      ->capture_default_str();
  AddThreadsFlag(*quantize, &flags->threads);
  quantize->callback([=] { *command = [flags] { return RunQuantize(*flags); }; });
}

}  // namespace mozgach
