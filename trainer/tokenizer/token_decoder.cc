#include "trainer/tokenizer/token_decoder.h"

#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "trainer/tokenizer/text/byte_level.h"
#include "trainer/tokenizer/text/metaspace.h"
#include "trainer/tokenizer/text/pattern_field.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

using Texts = std::vector<std::string>;

class ByteLevelDecoder : public TokenDecoder {
 public:
  // A text with a character that does not stand for a byte (of an added token) is not changed.
  void Apply(Texts* texts) const override {
    std::string bytes;
    for (const std::string& text : *texts) {
      if (!AppendByteLevelBytes(text, &bytes)) bytes += text;
    }
    *texts = {ReplaceInvalidUtf8(bytes)};
  }
};

class ByteFallbackDecoder : public TokenDecoder {
 public:
  // A run of bytes that is not UTF-8 as a whole gives one U+FFFD for each byte.
  void Apply(Texts* texts) const override {
    Texts decoded;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (FirstInvalidUtf8(bytes) == std::string::npos) {
        decoded.push_back(bytes);
      } else {
        decoded.insert(decoded.end(), bytes.size(), "\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& text : *texts) {
      const std::optional<char> byte = ByteOf(text);
      if (byte.has_value()) {
        bytes.push_back(*byte);
        continue;
      }
      flush();
      decoded.push_back(std::move(text));
    }
    flush();
    *texts = std::move(decoded);
  }

 private:
  // "<0x0A>" → '\n'
  static std::optional<char> ByteOf(const std::string& text) {
    if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return std::nullopt;
    const auto digit = [](char c) -> int {
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'A' && c <= 'F') return c - 'A' + 10;
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      return -1;
    };
    const int high = digit(text[3]);
    const int low = digit(text[4]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<char>(16 * high + low);
  }
};

class FuseDecoder : public TokenDecoder {
 public:
  void Apply(Texts* texts) const override { *texts = {absl::StrJoin(*texts, "")}; }
};

class MetaspaceDecoder : public TokenDecoder {
 public:
  explicit MetaspaceDecoder(MetaspaceSettings settings) : settings_(std::move(settings)) {}

  // The prepended space is in the first text.
  void Apply(Texts* texts) const override {
    const bool prepended = settings_.prepend != MetaspaceSettings::Prepend::kNever;
    for (size_t i = 0; i < texts->size(); ++i) {
      absl::StrReplaceAll({{settings_.replacement, i == 0 && prepended ? "" : " "}}, &(*texts)[i]);
    }
  }

 private:
  MetaspaceSettings settings_;
};

class ReplaceDecoder : public TokenDecoder {
 public:
  ReplaceDecoder(std::string pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  void Apply(Texts* texts) const override {
    for (std::string& text : *texts) absl::StrReplaceAll({{pattern_, content_}}, &text);
  }

 private:
  std::string pattern_;
  std::string content_;
};

class StripDecoder : public TokenDecoder {
 public:
  StripDecoder(std::string content, int64_t start, int64_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}

  void Apply(Texts* texts) const override {
    for (std::string& text : *texts) {
      std::string_view kept = text;
      for (int64_t i = 0; i < start_ && kept.starts_with(content_); ++i) {
        kept.remove_prefix(content_.size());
      }
      for (int64_t i = 0; i < stop_ && kept.ends_with(content_); ++i) {
        kept.remove_suffix(content_.size());
      }
      text = std::string(kept);
    }
  }

 private:
  std::string content_;  // one character
  int64_t start_;        // most copies to remove from the beginning
  int64_t stop_;         // most copies to remove from the end
};

class DecoderSequence : public TokenDecoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<TokenDecoder>> steps)
      : steps_(std::move(steps)) {}

  void Apply(Texts* texts) const override {
    for (const auto& step : steps_) step->Apply(texts);
  }

 private:
  std::vector<std::unique_ptr<TokenDecoder>> steps_;
};

absl::StatusOr<std::unique_ptr<TokenDecoder>> MakeReplace(const JsonObject& json) {
  ASSIGN_OR_RETURN(const JsonObject pattern, json.Object("pattern"));
  if (pattern.Find("Regex") != nullptr) return json.Unsupported("pattern", "Regex");
  ASSIGN_OR_RETURN(std::string literal, pattern.String("String"));
  if (literal.empty()) return pattern.Error("String", "is empty");
  ASSIGN_OR_RETURN(std::string content, json.String("content"));
  return std::make_unique<ReplaceDecoder>(std::move(literal), std::move(content));
}

absl::StatusOr<std::unique_ptr<TokenDecoder>> MakeStrip(const JsonObject& json) {
  ASSIGN_OR_RETURN(std::string content, json.String("content"));
  ASSIGN_OR_RETURN(const int64_t start, json.Integer("start"));
  ASSIGN_OR_RETURN(const int64_t stop, json.Integer("stop"));
  if (content.empty() || content.size() != Utf8Length(content[0])) {
    return json.Error("content", "expected one character");
  }
  return std::make_unique<StripDecoder>(std::move(content), start, stop);
}

absl::StatusOr<std::unique_ptr<TokenDecoder>> MakeDecoders(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::vector<JsonObject> parts, json.Objects("decoders"));
  std::vector<std::unique_ptr<TokenDecoder>> steps;
  for (const JsonObject& part : parts) {
    ASSIGN_OR_RETURN(std::unique_ptr<TokenDecoder> step, TokenDecoder::FromJson(part));
    steps.push_back(std::move(step));
  }
  return std::make_unique<DecoderSequence>(std::move(steps));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TokenDecoder>> TokenDecoder::FromJson(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::string type, json.String("type"));
  if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>();
  if (type == "ByteFallback") return std::make_unique<ByteFallbackDecoder>();
  if (type == "Fuse") return std::make_unique<FuseDecoder>();
  if (type == "Replace") return MakeReplace(json);
  if (type == "Strip") return MakeStrip(json);
  if (type == "Sequence") return MakeDecoders(json);
  if (type == "Metaspace") {
    ASSIGN_OR_RETURN(MetaspaceSettings settings, MetaspaceSettings::FromJson(json));
    return std::make_unique<MetaspaceDecoder>(std::move(settings));
  }
  return json.Unsupported("type", type);
}

}  // namespace mozgach
