#include "trainer/train/memory_ladder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "planner/step_bounds.h"

namespace mozgach {
namespace {

constexpr int64_t kChunks[] = {int64_t{8} << 20, kShortestLossChunkBytes};

}  // namespace

MemoryLadder::MemoryLadder(int64_t rows, Recompute recompute, int64_t layers) {
  MemoryRung rung;
  rung.recompute = recompute;
  rung.recomputed_layers = layers;
  rungs_.push_back(rung);
  while (rung.parts < rows) {
    rung.parts *= 2;
    rungs_.push_back(rung);
  }
  for (const Recompute more : {Recompute::kCheap, Recompute::kLayers}) {
    const bool some = more == Recompute::kLayers && rung.recomputed_layers != kEveryLayer;
    if (rung.recompute >= more && !some) continue;
    rung.recompute = more;
    rung.recomputed_layers = kEveryLayer;
    rungs_.push_back(rung);
  }
  for (const int64_t bytes : kChunks) {
    rung.loss_chunk_bytes = bytes;
    rungs_.push_back(rung);
  }
}

const MemoryRung& MemoryLadder::At(int64_t rung) const {
  return rungs_[static_cast<size_t>(std::clamp<int64_t>(rung, 0, lowest()))];
}

std::string MemoryLadder::Describe(int64_t rung) const {
  const MemoryRung& now = At(rung);
  std::string words;
  if (now.parts > 1) {
    absl::StrAppend(&words, "each micro-batch runs in ", now.parts, " parts");
  }
  if (now.recompute != rungs_.front().recompute ||
      now.recomputed_layers != rungs_.front().recomputed_layers) {
    absl::StrAppend(&words, words.empty() ? "" : ", ",
                    now.recompute == Recompute::kLayers ? "layers are recomputed"
                                                        : "cheap activations are recomputed");
  }
  if (now.loss_chunk_bytes > 0) {
    absl::StrAppend(&words, words.empty() ? "" : ", ", "the loss uses chunks of ",
                    now.loss_chunk_bytes >> 20, " MiB");
  }
  return words.empty() ? "the settings are unchanged" : words;
}

std::vector<MicroBatch> InParts(const std::vector<Example>& examples, const MicroBatch& micro_batch,
                                int64_t parts) {
  if (parts <= 1) return {micro_batch};
  int64_t tokens = 0;
  for (const Sequence& sequence : micro_batch) tokens += sequence.tokens;
  const int64_t share = std::max<int64_t>(1, (tokens + parts - 1) / parts);
  std::vector<MicroBatch> pieces;
  int64_t done = 0;
  for (const Sequence& sequence : micro_batch) {
    for (const int32_t index : sequence.examples) {
      // A row belongs to the piece that contains its middle.
      const auto length = static_cast<int64_t>(examples[static_cast<size_t>(index)].ids.size());
      const auto piece = static_cast<size_t>(std::min(parts - 1, (done + length / 2) / share));
      if (pieces.size() <= piece) pieces.resize(piece + 1, MicroBatch(1));
      pieces[piece].front().examples.push_back(index);
      pieces[piece].front().tokens += length;
      done += length;
    }
  }
  std::erase_if(pieces, [](const MicroBatch& piece) { return piece.front().examples.empty(); });
  return pieces;
}

}  // namespace mozgach
