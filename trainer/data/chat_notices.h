// Notices for users about a chat template and the rows that it renders.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/example.h"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {

// Returns one sentence for each of these: answers without an end token, conversations on a base
// without a chat template, and rows whose answers the template omits. `report` is the report on
// `examples`.
std::vector<std::string> ChatNotices(const std::vector<Example>& examples, const DataReport& report,
                                     const Tokenizer& tokenizer);

}  // namespace mozgach
