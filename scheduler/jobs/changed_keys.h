// Compares two domain files, as they are stored with their jobs.  Pure functions.
#pragma once

#include <string>
#include <vector>

namespace mozgach {

// The keys whose values differ, as in the domain file ("lora.r"), sorted.  A list is one value.
std::vector<std::string> ChangedKeys(const std::string& before_json, const std::string& after_json);

}  // namespace mozgach
