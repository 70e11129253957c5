// Any bytes as a safetensors file: a header that is accepted describes bytes that are there.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trainer/checkpoint/safetensors_header.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto header = mozgach::ParseSafetensorsHeader(file);
  if (!header.ok()) return 0;
  for (const auto& [name, tensor] : header->tensors) {
    if (tensor.bytes.data() < file.data() || tensor.bytes.end() > file.end()) abort();
    if (tensor.elements() < 0) abort();
  }
  return 0;
}
