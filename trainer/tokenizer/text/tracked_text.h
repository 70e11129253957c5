// A TrackedText is a text that is being rewritten, with marks that move along.
//
// Marks are offsets where one origin ends and the next begins (the borders of the pieces a text was
// put together from).  They survive normalisation, so that a token of the normalised text can still
// be traced to its piece.
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

// Rewrites a TrackedText from left to right.  A mark inside what is replaced moves to its
// beginning: the new text belongs to the origin of the last byte it stands for.
class Rewriter {
 public:
  // `target` must outlive this and stays as it is until Finish().
  explicit Rewriter(TrackedText* target) : target_(target) {}

  // Puts `content` in the place of [begin, end).  REQUIRES: `begin` >= the `end` of the call
  // before.
  void Replace(size_t begin, size_t end, std::string_view content);

  // Keeps the rest and hands the new text to the target.
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
