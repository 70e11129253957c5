// Reads the YAML of a domain file into a SpecValue: block and flow style, quotes, comments.
// Anchors, aliases, tags and several documents are rejected: a domain file does not need them.
#pragma once

#include <string>

#include "common/domain/problems.h"
#include "common/domain/spec_value.h"

namespace mozgach {

// Parses `text`. Reports to `problems` and returns a null value if it is not YAML or exceeds the
// limits of spec_value.h.
SpecValue ReadYaml(const std::string& text, Problems* problems);

}  // namespace mozgach
