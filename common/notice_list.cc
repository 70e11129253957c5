#include "common/notice_list.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"

namespace mozgach {

void NoticeList::Add(std::string_view sentence) {
  std::string text = Abbreviate(sentence, kMaxBytes - 3);  // the mark of a cut has three bytes
  if (text.empty()) return;
  if (std::find(sentences_.begin(), sentences_.end(), text) != sentences_.end()) return;
  if (left_out_ == 0 && sentences_.size() < kMaxNotices) {
    sentences_.push_back(std::move(text));
    return;
  }
  left_out_ += left_out_ == 0 ? 2 : 1;  // the last sentence makes room for the count
  sentences_.back() = absl::StrCat("… and ", left_out_, " more notices");
}

void NoticeList::AddAll(const std::vector<std::string>& sentences) {
  for (const std::string& sentence : sentences) Add(sentence);
}

}  // namespace mozgach
