// A TrackedText is a text that is being rewritten, with marks that keep their positions.
//
// Marks are the offsets where one piece of the text ends and the next begins. They survive
// normalisation, so that a token of the normalised text can be traced to its piece.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mozgach {

struct TrackedText {
  std::string text;
  std::vector<size_t> marks;  // ascending, at most text.size()
};

// Rewrites a TrackedText from left to right. A mark inside a replaced range moves to the beginning
// of the range: the new text belongs to the piece of the last byte replaced.
class Rewriter {
 public:
  // `target` must outlive this. It does not change before Finish().
  explicit Rewriter(TrackedText* target) : target_(target) {}

  // Replaces [begin, end) by `content`. REQUIRES: `begin` >= `end` of the previous call.
  void Replace(size_t begin, size_t end, std::string_view content);

  // Keeps the rest of the text and stores the result in the target.
  void Finish();

 private:
  void KeepUntil(size_t end);

  TrackedText* target_;
  std::string text_;
  std::vector<size_t> marks_;
  size_t read_ = 0;       // offset in the old text
  size_t next_mark_ = 0;  // index into the old marks
};

}  // namespace mozgach
