#include "trainer/tokenizer/bpe/joints.h"

namespace mozgach {

Joints::Joints(const MergeTable& merges, const Symbols& symbols) {
  merges.ForEachPair([&](int32_t left, int32_t right) {
    pairs_.insert(Key(symbols.Last(left), symbols.First(right)));
    anything_ |= symbols.StandsForOther(left) || symbols.StandsForOther(right);
  });
}

}  // namespace mozgach
