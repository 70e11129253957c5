#include "trainer/tokenizer/tokenizer_file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files.h"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr uint64_t kFileBytesMax = UINT64_C(256) << 20;
constexpr size_t kDepthMax = 64;
constexpr int64_t kOutlineValuesMax = 4'000'000;

// Receives nlohmann's SAX events. A callback returns true to continue, or false to stop; then
// status() has the error.
class Reader {
 public:
  explicit Reader(TokenizerFile* file) : file_(file) {}

  const absl::Status& status() const { return status_; }

  bool null() { return Value(nullptr); }
  bool boolean(bool value) { return Value(value); }
  bool number_integer(int64_t value) { return Number(value); }
  bool number_unsigned(uint64_t value) {
    return Number(value > INT64_MAX ? INT64_MAX : static_cast<int64_t>(value), value);
  }
  bool number_float(double value, const std::string&) { return Value(value); }
  bool string(std::string& value) {
    return place_ == Place::kMerges ? Merge(value) : Value(std::move(value));
  }
  bool binary(json::binary_t&) { return Fail("binary values are not part of JSON"); }

  bool start_object(size_t) {
    if (place_ == Place::kOutline && InModel() && key_ == "vocab") {
      place_ = Place::kVocabulary;
      return true;
    }
    return Open(json::object());
  }
  bool key(std::string& key) {
    key_ = std::move(key);
    return true;
  }
  bool end_object() { return Close(); }

  bool start_array(size_t) {
    if (place_ == Place::kMerges && !in_pair_) {
      in_pair_ = true;
      return true;
    }
    if (place_ == Place::kOutline && InModel() && key_ == "merges") {
      place_ = Place::kMerges;
      return true;
    }
    return Open(json::array());
  }
  bool end_array() {
    if (place_ == Place::kMerges && in_pair_) {
      if (parts_ != 2) return Fail("expected two tokens");
      in_pair_ = false;
      parts_ = 0;
      return true;
    }
    return Close();
  }

  bool parse_error(size_t, const std::string&, const json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 3, column 7: …"
    const std::string message = error.what();
    const size_t prefix = message.find("] ");
    status_ = absl::InvalidArgumentError(prefix == std::string::npos ? message
                                                                     : message.substr(prefix + 2));
    return false;
  }

 private:
  enum class Place { kOutline, kVocabulary, kMerges };

  bool InModel() const { return open_.size() == 2 && model_; }

  std::string Where() const {
    if (place_ == Place::kVocabulary) return absl::StrCat("model.vocab, token '", key_, "'");
    if (place_ == Place::kMerges) return absl::StrCat("model.merges[", file_->merges.size(), "]");
    return open_.empty() ? "the document" : absl::StrCat("the value of '", key_, "'");
  }

  bool Fail(std::string_view why) {
    status_ = absl::InvalidArgumentError(absl::StrCat(Where(), ": ", std::string(why)));
    return false;
  }

  bool Number(int64_t value, std::optional<uint64_t> exact = std::nullopt) {
    if (place_ != Place::kVocabulary) return exact.has_value() ? Value(*exact) : Value(value);
    const absl::Status added = file_->vocabulary.Add(key_, value);
    if (added.ok()) return true;
    status_ = Annotate(added, "model.vocab");
    return false;
  }

  bool Merge(const std::string& text) {
    if (in_pair_) {
      ++parts_;
      if (parts_ == 1) left_ = text;
      if (parts_ == 2) file_->merges.Add(left_, text);
      return parts_ <= 2 || Fail("expected two tokens");
    }
    const size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      return Fail(absl::StrCat("'", text, "' is not two tokens with a space between them"));
    }
    const std::string_view pair = text;
    file_->merges.Add(pair.substr(0, space), pair.substr(space + 1));
    return true;
  }

  json* Insert(json value) {
    if (open_.empty()) {
      file_->outline = std::move(value);
      return &file_->outline;
    }
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    json& field = parent[key_];
    field = std::move(value);
    return &field;
  }

  template <typename T>
  bool Value(T&& value) {
    if (place_ == Place::kVocabulary) return Fail("its id is not an integer");
    if (place_ == Place::kMerges) return Fail("expected \"a b\" or [\"a\", \"b\"]");
    if (++values_ > kOutlineValuesMax) return Fail("too many values");
    Insert(std::forward<T>(value));
    return true;
  }

  bool Open(json container) {
    if (place_ != Place::kOutline) return Value(nullptr);
    if (open_.size() >= kDepthMax) return Fail("nested too deeply");
    if (++values_ > kOutlineValuesMax) return Fail("too many values");
    if (open_.size() == 1) model_ = key_ == "model";
    open_.push_back(Insert(std::move(container)));
    return true;
  }

  bool Close() {
    if (place_ == Place::kOutline) {
      open_.pop_back();
    } else {
      place_ = Place::kOutline;
    }
    return true;
  }

  TokenizerFile* file_;
  absl::Status status_;
  Place place_ = Place::kOutline;
  std::vector<json*> open_;  // the containers around the next value
  bool model_ = false;       // open_[1] is the model
  std::string key_;
  int64_t values_ = 0;
  bool in_pair_ = false;
  int parts_ = 0;
  std::string left_;
};

}  // namespace

absl::StatusOr<TokenizerFile> ParseTokenizerFile(std::string_view bytes) {
  TokenizerFile file;
  Reader reader(&file);
  if (!json::sax_parse(bytes, &reader)) return reader.status();
  return file;
}

absl::StatusOr<TokenizerFile> ReadTokenizerFile(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kFileBytesMax));
  absl::StatusOr<TokenizerFile> file = ParseTokenizerFile(bytes);
  if (!file.ok()) return Annotate(file.status(), path.string());
  return file;
}

}  // namespace mozgach
