#include "trainer/quant/four_bit_state.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr int64_t kSmallestBlock = 32, kLargestBlock = 4096;
constexpr int64_t kLargestNestedBlock = 65536;
constexpr int64_t kMostElements = int64_t{1} << 48;

constexpr std::array<std::pair<const char*, at::ScalarType>, 3> kTypes = {
    {{"bfloat16", at::kBFloat16}, {"float16", at::kHalf}, {"float32", at::kFloat}}};

absl::Status Wrong(const char* key, const json& value, const std::string& what) {
  const std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return absl::DataLossError(
      absl::StrCat("its quant_state gives '", key, "' as ", Abbreviate(text, 80), "; ", what));
}

absl::StatusOr<json> Member(const json& state, const char* key) {
  const auto found = state.find(key);
  if (found == state.end()) {
    return absl::DataLossError(absl::StrCat("its quant_state lacks '", key, "'"));
  }
  return *found;
}

absl::StatusOr<int64_t> BlockSize(const json& state, const char* key, int64_t smallest,
                                  int64_t largest) {
  ASSIGN_OR_RETURN(const json value, Member(state, key));
  const int64_t size = value.is_number_unsigned() && value <= largest ? value.get<int64_t>() : 0;
  if (size < smallest || (size & (size - 1)) != 0) {
    return Wrong(key, value,
                 absl::StrCat("it must be a power of two from ", smallest, " to ", largest));
  }
  return size;
}

absl::StatusOr<at::ScalarType> Type(const json& state) {
  ASSIGN_OR_RETURN(const json value, Member(state, "dtype"));
  for (const auto& [name, type] : kTypes) {
    if (value == name) return type;
  }
  return Wrong("dtype", value, "it must be bfloat16, float16 or float32");
}

absl::StatusOr<std::vector<int64_t>> Shape(const json& state) {
  ASSIGN_OR_RETURN(const json value, Member(state, "shape"));
  std::vector<int64_t> shape;
  int64_t elements = 1;
  for (const json& size : value) {
    if (!size.is_number_unsigned() || size < 1 || size > kMostElements / elements) {
      shape.clear();
      break;
    }
    shape.push_back(size.get<int64_t>());
    elements *= shape.back();
  }
  if (!value.is_array() || shape.size() != 2) {
    return Wrong("shape", value, "it must have two sizes");
  }
  return shape;
}

absl::StatusOr<FourBitState::Nested> NestedState(const json& state) {
  FourBitState::Nested nested;
  ASSIGN_OR_RETURN(nested.block, BlockSize(state, "nested_blocksize", 1, kLargestNestedBlock));
  ASSIGN_OR_RETURN(const json type, Member(state, "nested_dtype"));
  if (type != "float32") return Wrong("nested_dtype", type, "it must be float32");
  ASSIGN_OR_RETURN(const json offset, Member(state, "nested_offset"));
  const double value =
      offset.is_number() ? offset.get<double>() : std::numeric_limits<double>::infinity();
  nested.offset = static_cast<float>(value);
  if (!std::isfinite(nested.offset)) {
    return Wrong("nested_offset", offset, "it must be a finite number");
  }
  return nested;
}

}  // namespace

absl::StatusOr<FourBitState> ParseFourBitState(std::string_view text) {
  const absl::StatusOr<json> parsed = ParseJson(text);
  if (!parsed.ok() || !parsed->is_object()) {
    return absl::DataLossError("its quant_state is not a JSON object in UTF-8");
  }
  const json& document = *parsed;
  FourBitState state;
  ASSIGN_OR_RETURN(const json type, Member(document, "quant_type"));
  if (type != "nf4" && type != "fp4") {
    return Wrong("quant_type", type, "it must be nf4 or fp4");
  }
  state.quant_type = type.get<std::string>();
  ASSIGN_OR_RETURN(state.block, BlockSize(document, "blocksize", kSmallestBlock, kLargestBlock));
  ASSIGN_OR_RETURN(state.dtype, Type(document));
  ASSIGN_OR_RETURN(state.shape, Shape(document));
  if (document.contains("nested_offset") || document.contains("nested_blocksize")) {
    ASSIGN_OR_RETURN(state.nested, NestedState(document));
  }
  return state;
}

std::string FourBitStateJson(const FourBitState& state) {
  const char* dtype = "";
  for (const auto& [name, type] : kTypes) {
    if (type == state.dtype) dtype = name;
  }
  std::string text = absl::StrCat("{\"quant_type\": \"", state.quant_type,
                                  "\", \"blocksize\": ", state.block, ", \"dtype\": \"", dtype,
                                  "\", \"shape\": [", absl::StrJoin(state.shape, ", "), "]");
  if (state.nested) {
    absl::StrAppend(&text, ", \"nested_blocksize\": ", state.nested->block,
                    ", \"nested_dtype\": \"float32\", \"nested_offset\": ",
                    json(static_cast<double>(state.nested->offset)).dump());
  }
  return text + "}";
}

}  // namespace mozgach
