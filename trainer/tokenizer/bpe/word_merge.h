// A WordMerge applies merges to the symbols of a word until none applies: always the merge with the
// smallest rank, and of these the leftmost. Source: Sennrich et al. 2016; tokenizers' BPE.
//
// Short words are scanned in O(n²), which is faster for them; long words use a heap, O(n log n).
// Keeps its working memory between calls. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/tokenizer/bpe/merge_table.h"
#include "trainer/tokenizer/bpe/symbols.h"

namespace mozgach {

class WordMerge {
 public:
  // Merges `symbols` and appends the result to `tokens`.
  void Run(const MergeTable& merges, std::span<const Token> symbols, std::vector<Token>* tokens);

 private:
  // A symbol or the result of a merge, in a doubly linked list.
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

  std::vector<Token> row_;       // Scan: the word, merged so far
  std::vector<uint32_t> ranks_;  // Scan: rank of the merge of row_[i] with row_[i + 1]
  std::vector<Node> nodes_;
  std::vector<uint64_t> heap_;  // rank << 32 | index of the left node
};

}  // namespace mozgach
