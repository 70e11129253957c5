#include "registry/tensor_header.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kTensorNameBytesMax = 1000;
constexpr size_t kDimensionsMax = 8;

std::string EscapedName(const std::string& name) { return absl::CHexEscape(name.substr(0, 200)); }

// Bytes of one value; 0 for a type that adapters do not have.
uint64_t WidthOfType(const std::string& dtype) {
  if (dtype == "F32") return 4;
  return dtype == "F16" || dtype == "BF16" ? 2 : 0;
}

// Reads {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …} without building a
// document: a header can have 16 MiB.  Anything else stops the parser.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<TensorInfo> tensors;
  std::string error;

  bool start_object(size_t) override {
    if (place_ == Place::kStart) return Enter(Place::kTensors);
    if (place_ != Place::kTensors || key_.empty()) return Wrong();
    if (key_ == "__metadata__") return Enter(Place::kMetadata);
    if (!names_.insert(key_).second)
      return Fail(absl::StrCat("names '", EscapedName(key_), "' twice"));
    if (key_.size() > kTensorNameBytesMax) return Fail("has a tensor name of more than 1000 bytes");
    tensors.emplace_back().name = key_;
    seen_ = 0;
    return Enter(Place::kTensor);
  }
  bool end_object() override {
    if (place_ == Place::kTensors) return Enter(Place::kEnd);
    if (place_ == Place::kTensor && seen_ != (kDtype | kShape | kOffsets)) return Wrong();
    key_.clear();
    return Enter(Place::kTensors);
  }
  bool key(std::string& key) override {
    key_ = key;
    if (place_ != Place::kTensor) return true;
    const int field = FieldOf(key);
    if (field == 0 || (seen_ & field) != 0) return Wrong();
    seen_ |= field;
    return true;
  }
  bool string(std::string& text) override {
    if (place_ == Place::kMetadata) return true;
    if (place_ != Place::kTensor || FieldOf(key_) != kDtype) return Wrong();
    tensors.back().dtype = text;
    return true;
  }
  bool start_array(size_t) override {
    if (place_ != Place::kTensor || FieldOf(key_) == kDtype) return Wrong();
    numbers_.clear();
    return Enter(Place::kNumbers);
  }
  bool number_unsigned(uint64_t number) override {
    if (place_ != Place::kNumbers || numbers_.size() >= kDimensionsMax) return Wrong();
    numbers_.push_back(number);
    return true;
  }
  bool end_array() override {
    TensorInfo& tensor = tensors.back();
    if (FieldOf(key_) == kShape) {
      tensor.shape = numbers_;
    } else {
      if (numbers_.size() != 2 || numbers_[0] > numbers_[1]) return Wrong();
      tensor.begin = numbers_[0];
      tensor.end = numbers_[1];
    }
    return Enter(Place::kTensor);
  }
  bool null() override { return Wrong(); }
  bool boolean(bool) override { return Wrong(); }
  bool number_integer(int64_t) override { return Wrong(); }
  bool number_float(double, const std::string&) override { return Wrong(); }
  bool binary(nlohmann::json::binary_t&) override { return Wrong(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override {
    return error.empty() ? Fail("is not a JSON object") : false;
  }

 private:
  enum class Place { kStart, kTensors, kMetadata, kTensor, kNumbers, kEnd };
  static constexpr int kDtype = 1, kShape = 2, kOffsets = 4;

  static int FieldOf(const std::string& key) {
    if (key == "dtype") return kDtype;
    if (key == "shape") return kShape;
    return key == "data_offsets" ? kOffsets : 0;
  }
  bool Enter(Place place) {
    place_ = place;
    return true;
  }
  bool Fail(std::string what) {
    error = std::move(what);
    return false;
  }
  bool Wrong() {
    if (tensors.empty()) return Fail("is not a JSON object of tensors");
    return Fail(absl::StrCat("does not give dtype, shape and data_offsets of the tensor '",
                             EscapedName(tensors.back().name), "', and only these"));
  }

  Place place_ = Place::kStart;
  std::string key_;
  int seen_ = 0;  // fields of the current tensor
  std::vector<uint64_t> numbers_;
  std::set<std::string> names_;
};

absl::Status CheckTensorInfo(const TensorInfo& tensor) {
  const std::string name = absl::StrCat("its tensor '", EscapedName(tensor.name), "'");
  const uint64_t width = WidthOfType(tensor.dtype);
  if (width == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " has the type ", EscapedName(tensor.dtype), "; adapters have F32, F16 or BF16"));
  }
  uint64_t bytes = width;
  bool fits = true;
  for (const uint64_t size : tensor.shape) {
    fits = fits && size > 0 && bytes <= UINT64_MAX / size;
    bytes = fits ? bytes * size : 0;
  }
  if (fits && bytes == tensor.end - tensor.begin) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has the shape [", absl::StrJoin(tensor.shape, ", "), "] of ",
                   tensor.dtype, ", but ", tensor.end - tensor.begin, " bytes"));
}

absl::Status CheckTensorInfos(std::vector<TensorInfo>& tensors, uint64_t bytes) {
  for (const TensorInfo& tensor : tensors) RETURN_IF_ERROR(CheckTensorInfo(tensor));
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.begin < b.begin; });
  uint64_t end = 0;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.begin != end) {
      return absl::InvalidArgumentError(absl::StrCat(
          "its tensor '", EscapedName(tensor.name), "' begins at byte ", tensor.begin,
          ", but the one before it ends at byte ", end, ": the file has gaps or overlaps"));
    }
    end = tensor.end;
  }
  if (end == bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("its tensors take ", end, " bytes, the file has ", bytes, " for them"));
}

}  // namespace

absl::StatusOr<TensorHeader> ReadTensorHeader(const std::filesystem::path& file,
                                              uint64_t header_bytes_max) {
  std::error_code error;
  const uint64_t bytes = std::filesystem::file_size(file, error);
  std::ifstream in(file, std::ios::binary);
  if (error || !in) return absl::UnavailableError("it cannot be read");
  unsigned char word[kLengthBytes];
  if (bytes < kLengthBytes) {
    return absl::InvalidArgumentError(absl::StrCat("it has only ", bytes, " bytes"));
  }
  if (!in.read(reinterpret_cast<char*>(word), kLengthBytes)) {
    return absl::UnavailableError("it cannot be read");
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= uint64_t{word[i]} << (8 * i);
  if (length > bytes - kLengthBytes) {
    return absl::InvalidArgumentError("it does not begin with a header that it holds");
  }
  if (length > header_bytes_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("its header has ", length, " bytes; all headers together may have 16 MiB"));
  }
  std::string text(length, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(length))) {
    return absl::UnavailableError("it cannot be read");
  }
  HeaderReader reader;
  if (!nlohmann::json::sax_parse(text, &reader)) {
    return absl::InvalidArgumentError(absl::StrCat("its header ", reader.error));
  }
  RETURN_IF_ERROR(CheckTensorInfos(reader.tensors, bytes - kLengthBytes - length));
  return TensorHeader{std::move(reader.tensors), length};
}

}  // namespace mozgach
