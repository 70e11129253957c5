// A WordMerge applies merges to the symbols of a word until none applies: always the one with the
// smallest rank, the leftmost first.  Source: Sennrich et al. 2016, as tokenizers' BPE does it.
//
// O(n²) by scanning for short words, where that is quickest, O(n log n) with a heap for long ones.
// Holds the room it works in; for one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/tokenizer/bpe/merge_table.h"
#include "trainer/tokenizer/bpe/symbols.h"

namespace mozgach {

class WordMerge {
 public:
  // Appends to `tokens` what `symbols` merge into.
  void Run(const MergeTable& merges, std::span<const Token> symbols, std::vector<Token>* tokens);

 private:
  // A symbol or what it has been merged into, in a list of neighbours.
  struct Node {
    Token token;
    uint32_t previous;
    uint32_t next;
  };

  void Scan(const MergeTable& merges, std::span<const Token> symbols, std::vector<Token>* tokens);
  void RunHeap(const MergeTable& merges, std::span<const Token> symbols,
               std::vector<Token>* tokens);
  void PushPair(const MergeTable& merges, uint32_t left, uint32_t right);
  void Join(uint32_t left, int32_t result);

  std::vector<Token> row_;       // Scan: what is left of the word
  std::vector<uint32_t> ranks_;  // Scan: of row_[i] with row_[i + 1]
  std::vector<Node> nodes_;
  std::vector<uint64_t> heap_;  // rank << 32 | index of the left node
};

}  // namespace mozgach
