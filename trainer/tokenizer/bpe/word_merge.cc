#include "trainer/tokenizer/bpe/word_merge.h"

#include <algorithm>
#include <functional>

namespace mozgach {
namespace {

constexpr size_t kScanMax = 64;
constexpr uint32_t kNone = UINT32_MAX;

uint32_t RankOf(const MergeTable& merges, const Token& left, const Token& right) {
  const MergeTable::Merge* merge = merges.Find(left.id, right.id);
  return merge == nullptr ? kNone : merge->rank;
}

}  // namespace

void WordMerge::Run(const MergeTable& merges, std::span<const Token> symbols,
                    std::vector<Token>* tokens) {
  if (symbols.size() < 2) {
    tokens->insert(tokens->end(), symbols.begin(), symbols.end());
  } else if (symbols.size() <= kScanMax) {
    Scan(merges, symbols, tokens);
  } else {
    RunHeap(merges, symbols, tokens);
  }
}

void WordMerge::Scan(const MergeTable& merges, std::span<const Token> symbols,
                     std::vector<Token>* tokens) {
  row_.assign(symbols.begin(), symbols.end());
  ranks_.clear();
  for (size_t i = 0; i + 1 < row_.size(); ++i) {
    ranks_.push_back(RankOf(merges, row_[i], row_[i + 1]));
  }
  while (!ranks_.empty()) {
    const auto best = std::min_element(ranks_.begin(), ranks_.end());
    if (*best == kNone) break;
    const size_t i = best - ranks_.begin();
    row_[i].id = merges.Find(row_[i].id, row_[i + 1].id)->result;
    row_[i].bytes += row_[i + 1].bytes;
    row_.erase(row_.begin() + i + 1);
    ranks_.erase(best);
    if (i > 0) ranks_[i - 1] = RankOf(merges, row_[i - 1], row_[i]);
    if (i < ranks_.size()) ranks_[i] = RankOf(merges, row_[i], row_[i + 1]);
  }
  tokens->insert(tokens->end(), row_.begin(), row_.end());
}

void WordMerge::PushPair(const MergeTable& merges, uint32_t left, uint32_t right) {
  const uint32_t rank = RankOf(merges, nodes_[left].token, nodes_[right].token);
  if (rank == kNone) return;
  heap_.push_back(static_cast<uint64_t>(rank) << 32 | left);
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
}

// The right node stays in nodes_ with 0 bytes, which invalidates the heap entries that name it.
void WordMerge::Join(uint32_t left, int32_t result) {
  Node& kept = nodes_[left];
  Node& gone = nodes_[kept.next];
  kept.token = {result, kept.token.bytes + gone.token.bytes};
  gone.token.bytes = 0;
  kept.next = gone.next;
  if (kept.next != kNone) nodes_[kept.next].previous = left;
}

void WordMerge::RunHeap(const MergeTable& merges, std::span<const Token> symbols,
                        std::vector<Token>* tokens) {
  nodes_.clear();
  heap_.clear();
  for (uint32_t i = 0; i < symbols.size(); ++i) {
    nodes_.push_back({symbols[i], i == 0 ? kNone : i - 1, i + 1 == symbols.size() ? kNone : i + 1});
  }
  for (uint32_t i = 1; i < nodes_.size(); ++i) PushPair(merges, i - 1, i);
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    const uint32_t rank = static_cast<uint32_t>(heap_.back() >> 32);
    const uint32_t left = static_cast<uint32_t>(heap_.back());
    heap_.pop_back();
    const Node& node = nodes_[left];
    if (node.token.bytes == 0 || node.next == kNone) continue;
    const MergeTable::Merge* merge = merges.Find(node.token.id, nodes_[node.next].token.id);
    if (merge == nullptr || merge->rank != rank) continue;
    Join(left, merge->result);
    if (node.previous != kNone) PushPair(merges, node.previous, left);
    if (node.next != kNone) PushPair(merges, left, node.next);
  }
  for (const Node& node : nodes_) {
    if (node.token.bytes > 0) tokens->push_back(node.token);
  }
}

}  // namespace mozgach
