#include "trainer/checkpoint/safetensors_header.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"
#include "trainer/checkpoint/safetensors_dtype.h"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr size_t kMostDimensions = 8;
constexpr uint64_t kMostElements = uint64_t{1} << 48;
constexpr int64_t kMostValues = 4'000'000;  // about 400,000 tensors
constexpr size_t kShownBytes = 200;         // bytes of a name in a message

absl::StatusOr<std::string_view> HeaderText(std::string_view file) {
  if (file.size() < kLengthBytes) {
    return absl::DataLossError(
        absl::StrCat("cut off: ", file.size(), " bytes, too few for a safetensors file"));
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    length |= static_cast<uint64_t>(static_cast<unsigned char>(file[i])) << (8 * i);
  }
  if (length > kHeaderLimitBytes) {
    return absl::DataLossError(absl::StrCat("not a safetensors file: a header of ", length,
                                            " bytes (at most ", kHeaderLimitBytes,
                                            " are allowed)"));
  }
  if (length > file.size() - kLengthBytes) {
    return absl::DataLossError(absl::StrCat("cut off within the header, which takes ", length,
                                            " bytes; the file has ", file.size()));
  }
  return file.substr(kLengthBytes, static_cast<size_t>(length));
}

// Finds a key that occurs twice in an object.
class TwiceFinder : public nlohmann::json_sax<json> {
 public:
  const std::string& twice() const { return twice_; }

  bool start_object(size_t) override {
    keys_.emplace_back();
    return true;
  }
  bool end_object() override {
    keys_.pop_back();
    return true;
  }
  bool key(std::string& name) override {
    if (keys_.back().insert(name).second) return true;
    twice_ = name;
    return false;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(int64_t) override { return true; }
  bool number_unsigned(uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(json::binary_t&) override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t, const std::string&, const json::exception&) override { return false; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::string twice_;
};

// nlohmann keeps only the last of two equal keys, which would hide a tensor.
absl::StatusOr<json> ParseUnique(std::string_view text) {
  if (const absl::Status shape = CheckJsonShape(text, kMostValues); !shape.ok()) {
    return absl::DataLossError(absl::StrCat("the header is ", shape.message()));
  }
  TwiceFinder finder;
  const bool read = json::sax_parse(text, &finder);
  if (!finder.twice().empty()) {
    return absl::DataLossError(
        absl::StrCat("the header gives '", Abbreviate(finder.twice(), kShownBytes), "' twice"));
  }
  json header = read ? json::parse(text, nullptr, /*allow_exceptions=*/false) : json();
  if (!header.is_object()) return absl::DataLossError("the header is not a JSON object in UTF-8");
  return header;
}

std::optional<uint64_t> ToUnsigned(const json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<uint64_t>();
}

// Reads the shape and returns its number of elements.
absl::StatusOr<uint64_t> ReadShape(const json& value, std::vector<int64_t>* shape) {
  if (!value.is_array() || value.size() > kMostDimensions) {
    return absl::DataLossError("its shape is not a list of at most 8 sizes");
  }
  uint64_t elements = 1;
  for (const json& entry : value) {
    auto size = ToUnsigned(entry);
    if (!size || *size > kMostElements || (*size != 0 && elements > kMostElements / *size)) {
      return absl::DataLossError(absl::StrCat("impossible shape ", value.dump()));
    }
    elements *= *size;
    shape->push_back(static_cast<int64_t>(*size));
  }
  return elements;
}

absl::StatusOr<StoredTensor> ReadEntry(const json& entry, std::string_view buffer) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") ||
      !entry.contains("data_offsets") || !entry["dtype"].is_string()) {
    return absl::DataLossError("its entry lacks dtype, shape or data_offsets");
  }
  StoredTensor tensor;
  const auto type_name = entry["dtype"].get<std::string>();
  auto type = ScalarTypeFromSafetensors(type_name);
  if (!type)
    return absl::DataLossError(
        absl::StrCat("unknown element type '", Abbreviate(type_name, kShownBytes), "'"));
  tensor.dtype = *type;
  ASSIGN_OR_RETURN(const uint64_t elements, ReadShape(entry["shape"], &tensor.shape));

  const json& offsets = entry["data_offsets"];
  std::optional<uint64_t> begin, end;
  if (offsets.is_array() && offsets.size() == 2) {
    begin = ToUnsigned(offsets[0]);
    end = ToUnsigned(offsets[1]);
  }
  if (!begin || !end || *begin > *end) {
    return absl::DataLossError("its data_offsets are not an ascending pair");
  }
  if (*end > buffer.size()) {
    return absl::DataLossError(absl::StrCat("lies beyond the end of the file (ends at byte ", *end,
                                            " of ", buffer.size(), " bytes of tensors): cut off?"));
  }
  const uint64_t bytes = elements * c10::elementSize(tensor.dtype);
  if (*end - *begin != bytes) {
    return absl::DataLossError(absl::StrCat("takes ", *end - *begin, " bytes, but shape ",
                                            entry["shape"].dump(), " of ", type_name, " needs ",
                                            bytes));
  }
  tensor.bytes = buffer.substr(static_cast<size_t>(*begin), static_cast<size_t>(bytes));
  return tensor;
}

absl::Status ReadMetadata(const json& value, std::map<std::string, std::string>* metadata) {
  if (!value.is_object()) return absl::DataLossError("__metadata__ is not an object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      return absl::DataLossError(absl::StrCat("__metadata__ '", key, "' is not a string"));
    }
    (*metadata)[key] = text.get<std::string>();
  }
  return absl::OkStatus();
}

// Checks that the tensors lie one after another and fill the buffer.
absl::Status CheckCoverage(const std::map<std::string, StoredTensor>& tensors,
                           std::string_view buffer) {
  std::vector<std::pair<const char*, const std::string*>> order;
  for (const auto& [name, tensor] : tensors) order.emplace_back(tensor.bytes.data(), &name);
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    const size_t a_size = tensors.at(*a.second).bytes.size();
    const size_t b_size = tensors.at(*b.second).bytes.size();
    return std::tie(a.first, a_size, *a.second) < std::tie(b.first, b_size, *b.second);
  });
  const char* expected = buffer.data();
  for (const auto& [begin, name] : order) {
    if (begin < expected) {
      return absl::DataLossError(absl::StrCat("tensor '", *name, "' overlaps another tensor"));
    }
    if (begin > expected) {
      return absl::DataLossError(absl::StrCat("unused bytes before tensor '", *name, "'"));
    }
    expected = begin + tensors.at(*name).bytes.size();
  }
  if (expected != buffer.data() + buffer.size()) {
    return absl::DataLossError(
        absl::StrCat(buffer.data() + buffer.size() - expected, " bytes follow the last tensor"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view file) {
  ASSIGN_OR_RETURN(const std::string_view text, HeaderText(file));
  ASSIGN_OR_RETURN(const json document, ParseUnique(text));
  const std::string_view buffer = file.substr(kLengthBytes + text.size());
  SafetensorsHeader header;
  for (const auto& [name, entry] : document.items()) {
    if (name == "__metadata__") {
      RETURN_IF_ERROR(ReadMetadata(entry, &header.metadata));
      continue;
    }
    auto tensor = ReadEntry(entry, buffer);
    if (!tensor.ok())
      return Annotate(tensor.status(),
                      absl::StrCat("tensor '", Abbreviate(name, kShownBytes), "'"));
    header.tensors.emplace(name, *std::move(tensor));
  }
  RETURN_IF_ERROR(CheckCoverage(header.tensors, buffer));
  return header;
}

}  // namespace mozgach
