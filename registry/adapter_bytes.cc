#include "registry/adapter_bytes.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
// Some 100,000 tensors; the adapter of a large model has a few thousand.
constexpr uint64_t kHeaderBytesMax = 16 << 20;
constexpr int64_t kHeaderValuesMax = 1'000'000;

// [begin, end) of one tensor.
absl::StatusOr<std::pair<uint64_t, uint64_t>> Range(const std::string& name, const json& tensor) {
  if (tensor.is_object() && tensor.contains("dtype") && tensor["dtype"].is_string() &&
      tensor.contains("shape") && tensor["shape"].is_array() && tensor.contains("data_offsets")) {
    const json& offsets = tensor["data_offsets"];
    if (offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
        offsets[1].is_number_unsigned() && offsets[0] <= offsets[1]) {
      return std::pair(offsets[0].get<uint64_t>(), offsets[1].get<uint64_t>());
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("its header does not say where the tensor '",
                                                 absl::CHexEscape(name.substr(0, 80)), "' lies"));
}

absl::Status CheckTensors(const json& header, uint64_t bytes) {
  if (!header.is_object()) return absl::InvalidArgumentError("its header is no JSON object");
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    ASSIGN_OR_RETURN(ranges.emplace_back(), Range(name, tensor));
  }
  std::sort(ranges.begin(), ranges.end());
  uint64_t end = 0;
  for (const auto& range : ranges) {
    if (range.first != end) return absl::InvalidArgumentError("its tensors do not lie one after another");
    end = range.second;
  }
  if (end == bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("its tensors take ", end, " bytes, the file has ", bytes, " for them"));
}

absl::Status CheckSafetensors(std::istream& in, uint64_t bytes) {
  unsigned char word[kLengthBytes];
  if (!in.read(reinterpret_cast<char*>(word), kLengthBytes)) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", bytes, " bytes"));
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= uint64_t{word[i]} << (8 * i);
  if (length > kHeaderBytesMax || length > bytes - kLengthBytes) {
    return absl::InvalidArgumentError("it does not begin with a header that it holds");
  }
  std::string text(length, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(length))) {
    return absl::UnavailableError("it cannot be read");
  }
  RETURN_IF_ERROR(CheckJsonShape(text, kHeaderValuesMax));
  ASSIGN_OR_RETURN(const json header, ParseJson(text));
  return CheckTensors(header, bytes - kLengthBytes - length);
}

absl::Status CheckGguf(std::istream& in) {
  char magic[4];
  if (in.read(magic, sizeof(magic)) && std::string_view(magic, sizeof(magic)) == "GGUF") {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("it does not begin with GGUF");
}

}  // namespace

absl::Status CheckAdapterBytes(std::string_view path, const std::filesystem::path& file) {
  const bool gguf = path.ends_with(".gguf");
  if (!gguf && !path.ends_with(".safetensors")) return absl::OkStatus();
  std::error_code error;
  const uint64_t bytes = std::filesystem::file_size(file, error);
  std::ifstream in(file, std::ios::binary);
  if (error || !in) return absl::UnavailableError(absl::StrCat(file.string(), " cannot be read"));
  return Annotate(gguf ? CheckGguf(in) : CheckSafetensors(in, bytes),
                  absl::StrCat(std::string(path), gguf ? " is no GGUF file" : " is no safetensors file"));
}

}  // namespace mozgach
