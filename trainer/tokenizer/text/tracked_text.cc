#include "trainer/tokenizer/text/tracked_text.h"

#include <utility>

namespace mozgach {

void Rewriter::KeepUntil(size_t end) {
  const std::vector<size_t>& marks = target_->marks;
  for (; next_mark_ < marks.size() && marks[next_mark_] <= end; ++next_mark_) {
    marks_.push_back(text_.size() + marks[next_mark_] - read_);
  }
  text_.append(target_->text, read_, end - read_);
  read_ = end;
}

void Rewriter::Replace(size_t begin, size_t end, std::string_view content) {
  KeepUntil(begin);
  const std::vector<size_t>& marks = target_->marks;
  for (; next_mark_ < marks.size() && marks[next_mark_] < end; ++next_mark_) {
    marks_.push_back(text_.size());
  }
  text_ += content;
  read_ = end;
}

void Rewriter::Finish() {
  KeepUntil(target_->text.size());
  target_->text = std::move(text_);
  target_->marks = std::move(marks_);
}

}  // namespace mozgach
