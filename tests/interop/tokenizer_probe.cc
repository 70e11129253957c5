// tokenizer_probe BASE_DIR: encodes and decodes for tests, one JSON value per line.
//
//   "text"                                          → [ids]; special tokens are parsed
//   {"ids": [1, 2], "skip_special": false}          → "text"
//   null                                            → {"eos": id, "bos_to_prepend": id}; null: none
// What goes wrong is a line {"error": "…"}; a base that does not load is one for all lines.
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;

json Failure(const absl::Status& status) { return {{"error", std::string(status.message())}}; }

json IdOrNull(const std::optional<int32_t>& id) { return id.has_value() ? json(*id) : json(); }

json Answer(const Tokenizer& tokenizer, const json& asked) {
  if (asked.is_null()) {
    return {{"eos", IdOrNull(tokenizer.EosId())},
            {"bos_to_prepend", IdOrNull(tokenizer.BosToPrepend())}};
  }
  if (asked.is_object()) {
    const auto ids = asked.at("ids").get<std::vector<int32_t>>();
    return tokenizer.Decode(ids, asked.value("skip_special", false));
  }
  std::vector<int32_t> ids;
  const absl::Status status =
      tokenizer.Encode(asked.get<std::string>(), SpecialTokens::kParse, &ids);
  return status.ok() ? json(ids) : Failure(status);
}

void Run(const std::string& base_dir) {
  const auto tokenizer = Tokenizer::Load(base_dir);
  std::string line;
  while (std::getline(std::cin, line)) {
    const json answer =
        tokenizer.ok() ? Answer(**tokenizer, json::parse(line)) : Failure(tokenizer.status());
    std::cout << answer.dump() << "\n";
  }
}

}  // namespace
}  // namespace mozgach

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ios::sync_with_stdio(false);
  mozgach::Run(argv[1]);
  return 0;
}
