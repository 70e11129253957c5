#include <ATen/core/Tensor.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "nlohmann/json.hpp"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/checkpoint/safetensors_dtype.h"

namespace mozgach {
namespace {

using NamedTensor = std::pair<std::string, at::Tensor>;

// Sorts wide elements first, so that every tensor is aligned, then by name: the reference's order.
std::vector<NamedTensor> InFileOrder(const std::vector<NamedTensor>& tensors) {
  std::vector<NamedTensor> order;
  order.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    order.emplace_back(name, tensor.detach().to(at::kCPU).contiguous());
  }
  std::sort(order.begin(), order.end(), [](const NamedTensor& a, const NamedTensor& b) {
    const auto a_size = a.second.element_size(), b_size = b.second.element_size();
    return a_size != b_size ? a_size > b_size : a.first < b.first;
  });
  return order;
}

absl::StatusOr<std::string> Header(const std::vector<NamedTensor>& tensors,
                                   const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  std::set<std::string> seen;
  for (const auto& [name, tensor] : tensors) {
    auto type = SafetensorsName(tensor.scalar_type());
    if (!type) {
      return absl::InvalidArgumentError(absl::StrCat(
          "tensor '", name, "': safetensors has no type ", c10::toString(tensor.scalar_type())));
    }
    if (!seen.insert(name).second || name == "__metadata__") {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor name '", name, "' is reserved or used twice"));
    }
    const size_t end = offset + tensor.nbytes();
    header[name] = {
        {"dtype", *type}, {"shape", tensor.sizes().vec()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

absl::Status WriteSafetensors(const std::filesystem::path& path,
                              const std::vector<NamedTensor>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  const std::vector<NamedTensor> order = InFileOrder(tensors);
  auto header = Header(order, metadata);
  if (!header.ok()) return Annotate(header.status(), path.string());
  size_t total = 8 + header->size();
  for (const auto& [name, tensor] : order) total += tensor.nbytes();
  std::string bytes;
  bytes.reserve(total);
  for (int i = 0; i < 8; ++i) {
    bytes.push_back(static_cast<char>((static_cast<uint64_t>(header->size()) >> (8 * i)) & 0xff));
  }
  bytes += *header;
  for (const auto& [name, tensor] : order) {
    bytes.append(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  }
  return WriteFileAtomically(path, bytes);
}

}  // namespace mozgach
