#include "trainer/tokenizer/encoding_pass.h"

#include <algorithm>
#include <utility>

namespace mozgach {

EncodingPass::EncodingPass(const EncodingParts& parts, std::vector<size_t> piece_ends,
                           std::vector<bool> piece_parses, std::span<const int32_t> markers,
                           std::vector<int32_t>* ids, std::vector<int32_t>* piece_of_token)
    : parts_(parts),
      piece_ends_(std::move(piece_ends)),
      piece_parses_(std::move(piece_parses)),
      markers_(markers),
      ids_(ids),
      piece_of_token_(piece_of_token),
      room_(*parts.model) {}

bool EncodingPass::MayParse(const AddedToken& token, size_t first_piece, size_t last_piece) const {
  const bool marks =
      token.special || std::find(markers_.begin(), markers_.end(), token.id) != markers_.end();
  if (!marks) return true;
  for (size_t piece = first_piece; piece <= last_piece; ++piece) {
    if (!piece_parses_[piece]) return false;
  }
  return true;
}

size_t EncodingPass::PieceAt(size_t offset) const {
  return std::upper_bound(piece_ends_.begin(), piece_ends_.end(), offset) - piece_ends_.begin();
}

size_t EncodingPass::PieceAt(const Stretch& stretch, size_t offset) {
  const std::vector<size_t>& marks = stretch.text.marks;
  return stretch.first_piece +
         (std::upper_bound(marks.begin(), marks.end(), offset) - marks.begin());
}

EncodingPass::Stretch EncodingPass::Slice(std::string_view text, Span span) const {
  Stretch stretch;
  stretch.text.text = text.substr(span.begin, span.end - span.begin);
  stretch.first_piece = PieceAt(span.begin);
  stretch.at_start = span.begin == 0;
  for (size_t i = stretch.first_piece; i < piece_ends_.size() && piece_ends_[i] < span.end; ++i) {
    stretch.text.marks.push_back(piece_ends_[i] - span.begin);
  }
  return stretch;
}

EncodingPass::Stretch EncodingPass::Slice(const Stretch& whole, Span span) {
  Stretch stretch;
  stretch.text.text = whole.text.text.substr(span.begin, span.end - span.begin);
  stretch.first_piece = PieceAt(whole, span.begin);
  stretch.at_start = whole.at_start && span.begin == 0;
  for (const size_t mark : whole.text.marks) {
    if (mark > span.begin && mark < span.end) stretch.text.marks.push_back(mark - span.begin);
  }
  return stretch;
}

absl::Status EncodingPass::Run(std::string_view text) {
  const std::vector<Occurrence> found =
      parts_.raw_tokens->FindAll(text, [&](const AddedToken& token, Span span) {
        return MayParse(token, PieceAt(span.begin), PieceAt(span.end - 1));
      });
  size_t at = 0;
  for (const Occurrence& occurrence : found) {
    if (at < occurrence.span.begin) {
      RETURN_IF_ERROR(EncodeOrdinary(Slice(text, {at, occurrence.span.begin})));
    }
    EmitAdded(*occurrence.token, PieceAt(occurrence.content_end - 1));
    at = occurrence.span.end;
  }
  return at < text.size() ? EncodeOrdinary(Slice(text, {at, text.size()})) : absl::OkStatus();
}

absl::Status EncodingPass::EncodeOrdinary(Stretch stretch) {
  if (parts_.normalizer != nullptr) RETURN_IF_ERROR(parts_.normalizer->Apply(&stretch.text));
  if (parts_.normalized_tokens->empty()) return EncodeNormalized(std::move(stretch));
  const std::vector<Occurrence> found =
      parts_.normalized_tokens->FindAll(stretch.text.text, [&](const AddedToken& token, Span span) {
        return MayParse(token, PieceAt(stretch, span.begin), PieceAt(stretch, span.end - 1));
      });
  if (found.empty()) return EncodeNormalized(std::move(stretch));
  size_t at = 0;
  for (const Occurrence& occurrence : found) {
    if (at < occurrence.span.begin) {
      RETURN_IF_ERROR(EncodeNormalized(Slice(stretch, {at, occurrence.span.begin})));
    }
    EmitAdded(*occurrence.token, PieceAt(stretch, occurrence.content_end - 1));
    at = occurrence.span.end;
  }
  const size_t size = stretch.text.text.size();
  return at < size ? EncodeNormalized(Slice(stretch, {at, size})) : absl::OkStatus();
}

absl::Status EncodingPass::EncodeNormalized(Stretch stretch) {
  if (stretch.text.text.empty()) return absl::OkStatus();
  Words words;
  words.text = std::move(stretch.text);
  words.spans = {{0, words.text.text.size()}};
  words.at_start = stretch.at_start;
  if (parts_.pre_tokenizer != nullptr) RETURN_IF_ERROR(parts_.pre_tokenizer->Apply(&words));
  EmitWords(words, stretch.first_piece);
  return absl::OkStatus();
}

void EncodingPass::EmitAdded(const AddedToken& token, size_t piece) {
  ids_->push_back(token.id);
  if (piece_of_token_ != nullptr) piece_of_token_->push_back(static_cast<int32_t>(piece));
}

void EncodingPass::EmitWords(const Words& words, size_t first_piece) {
  const std::string_view text = words.text.text;
  const std::vector<size_t>& marks = words.text.marks;
  size_t passed = 0;  // number of marks at or before the token's last byte
  for (const Span& word : words.spans) {
    tokens_.clear();
    parts_.model->Encode(text.substr(word.begin, word.end - word.begin), room_.get(), &tokens_);
    size_t end = word.begin;
    for (const Token& token : tokens_) {
      ids_->push_back(token.id);
      if (piece_of_token_ == nullptr) continue;
      end += token.bytes;
      while (passed < marks.size() && marks[passed] < end) ++passed;
      piece_of_token_->push_back(static_cast<int32_t>(first_piece + passed));
    }
  }
}

}  // namespace mozgach
