#include "trainer/commands/tokenize_command.h"

#include <cstdint>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {
namespace {

absl::StatusOr<std::string> ParseText(const std::string& line) {
  const absl::StatusOr<nlohmann::json> value = ParseJson(line);
  if (!value.ok() || !value->is_string()) {
    return absl::InvalidArgumentError("expected a JSON string, such as \"Hello\"");
  }
  return value->get<std::string>();
}

}  // namespace

absl::Status RunTokenize(const std::filesystem::path& base_dir, std::istream& in,
                         std::ostream& out) {
  ASSIGN_OR_RETURN(std::shared_ptr<const Tokenizer> tokenizer, Tokenizer::Load(base_dir));
  in.tie(nullptr);  // a tied stream would be flushed for every line
  std::vector<int32_t> ids;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    const std::string where = absl::StrCat("line ", number);
    const absl::StatusOr<std::string> text = ParseText(line);
    if (!text.ok()) return Annotate(text.status(), where);
    ids.clear();
    const absl::Status encoded = tokenizer->Encode(*text, SpecialTokens::kParse, &ids);
    if (!encoded.ok()) return Annotate(encoded, where);
    out << '[' << absl::StrJoin(ids, ",") << "]\n";
    if (in.rdbuf()->in_avail() <= 0) out.flush();
    if (!out) return absl::UnavailableError(absl::StrCat(where, ": the output cannot be written"));
  }
  return absl::OkStatus();
}

}  // namespace mozgach
