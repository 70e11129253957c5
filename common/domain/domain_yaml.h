// Reads the YAML of a domain file into a SpecValue: block and flow style, quotes, comments.
// Anchors, aliases, tags and several documents are refused, since a domain file has no use for
// them.
#pragma once

#include <string>

#include "common/domain/problems.h"
#include "common/domain/spec_value.h"

namespace mozgach {

// What `text` says; reports to `problems` and returns a null value where it is no YAML or beyond
// the limits of spec_value.h.
SpecValue ReadYaml(const std::string& text, Problems* problems);

}  // namespace mozgach
