// Finds the key of a domain file that does what a key of another tool does.  Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace mozgach {

// "lora.r" for "rank", "training.learning_rate" for "lr": names that peft, TRL, axolotl,
// LLaMA-Factory, unsloth and mlx-lm use.  Case, '-' and '_' do not count.  Empty: not known.
std::string KeyOfOtherTool(std::string_view key);

}  // namespace mozgach
