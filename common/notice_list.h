// A NoticeList collects what people should know about an input that is accepted: one sentence each,
// each once, within the bounds of a Submission's notices. Plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mozgach {

class NoticeList {
 public:
  static constexpr size_t kMaxNotices = 32;
  static constexpr size_t kMaxBytes = 1024;  // the limit for one notice

  // Ignores an empty sentence and one that is already in the list. Abbreviates a long one. Once the
  // list is full, its last sentence counts those that were left out.
  void Add(std::string_view sentence);
  void AddAll(const std::vector<std::string>& sentences);

  const std::vector<std::string>& sentences() const { return sentences_; }

 private:
  std::vector<std::string> sentences_;
  size_t left_out_ = 0;
};

}  // namespace mozgach
