#include <ATen/ops/empty.h>

#include "trainer/attention/tiled_attention_pass.h"
#include "trainer/kernels/tile_product.h"

namespace mozgach {
namespace {

// Tiles of one thread.
struct ForwardWork {
  RunningSoftmax softmax;
  float log_sums[kTile];
  float scores[kTile * kTile];
  uint32_t weights[kTile / 2 * kTile];
};

class ForwardPass {
 public:
  ForwardPass(const TiledInputs& in, at::Tensor y, at::Tensor log_sums)
      : in_(in),
        y_(std::move(y)),
        log_sums_(std::move(log_sums)),
        values_(TransposedHeads(in.v)),
        work_(at::empty({at::get_num_threads(), static_cast<int64_t>(sizeof(ForwardWork))},
                        at::kByte)),
        // Queries as pairs, and their sums.
        columns_(
            at::empty({at::get_num_threads(), (in.dim() / 2 + in.dim()) * kTile}, at::kFloat)) {}

  // Starts with the last tiles, which have the most keys, so that all threads finish at about the
  // same time.
  void Run() {
    const int64_t heads = in_.documents() * in_.heads();
    OverTasks(in_.tiles() * heads, [&](int64_t thread, int64_t task) {
      const int64_t tile = in_.tiles() - 1 - task / heads;
      Attend(thread, task % heads / in_.heads(), task % in_.heads(), tile * kTile);
    });
  }

 private:
  void Attend(int64_t thread, int64_t document, int64_t head, int64_t query) {
    auto& work =
        *reinterpret_cast<ForwardWork*>(work_.mutable_data_ptr<uint8_t>() + thread * work_.size(1));
    float* sums = columns_.mutable_data_ptr<float>() + thread * columns_.size(1);
    auto* queries = reinterpret_cast<uint32_t*>(sums + in_.dim() * kTile);
    const int64_t kv_head = head / in_.group();
    const uint16_t* values =
        reinterpret_cast<const uint16_t*>(values_.const_data_ptr<c10::BFloat16>()) +
        (document * in_.kv_heads() + kv_head) * in_.dim() * in_.padded();
    const TileRows rows = RowsOf(in_.q, document, head, query);
    TransposePairs(rows, in_.dim(), queries);
    work.softmax.Begin();
    std::fill(sums, sums + in_.dim() * kTile, 0.0f);
    for (int64_t key = in_.FirstKey(query); key < in_.EndKey(query); key += kTile) {
      const TileRows keys = RowsOf(in_.k, document, kv_head, key);
      Multiply({reinterpret_cast<const uint16_t*>(keys.data), keys.stride, queries, kTile,
                keys.rows, kTile, in_.dim(), work.scores, kTile, false});
      if (in_.Hides(query, key)) HideScores(work.scores, keys.rows, key - query, in_.window);
      AddTile(work.scores, keys.rows, in_.scale, &work.softmax, work.weights);
      Fade(work.softmax, in_.dim(), sums);
      Multiply({values + key, in_.padded(), work.weights, kTile, in_.dim(), kTile,
                (keys.rows + 1) / 2 * 2, sums, kTile, true});
    }
    PutColumns(sums, in_.dim(), work.softmax.sum, rows.rows, Place(document, head, query),
               y_.stride(2));
    LogSums(work.softmax, in_.scale, work.log_sums);
    std::copy(work.log_sums, work.log_sums + rows.rows,
              log_sums_.mutable_data_ptr<float>() + (document * in_.heads() + head) * in_.length() +
                  query);
  }

  c10::BFloat16* Place(int64_t document, int64_t head, int64_t query) {
    return y_.mutable_data_ptr<c10::BFloat16>() + document * y_.stride(0) + head * y_.stride(1) +
           query * y_.stride(2);
  }

  const TiledInputs& in_;
  at::Tensor y_;
  at::Tensor log_sums_;
  at::Tensor values_;
  at::Tensor work_;
  at::Tensor columns_;
};

}  // namespace

at::Tensor TransposedHeads(const at::Tensor& x) {
  const int64_t heads = x.size(1), dim = x.size(3);
  const int64_t tiles = (x.size(2) + kTile - 1) / kTile;
  at::Tensor result = at::empty({x.size(0) * heads, dim, tiles * kTile}, x.options());
  auto* elements = reinterpret_cast<uint16_t*>(result.mutable_data_ptr<c10::BFloat16>());
  OverTasks(x.size(0) * heads * tiles, [&](int64_t, int64_t task) {
    const int64_t head = task / tiles, first = task % tiles * kTile;
    TransposeRows(RowsOf(x, head / heads, head % heads, first), dim,
                  elements + head * dim * tiles * kTile + first, tiles * kTile);
  });
  return result;
}

std::pair<at::Tensor, at::Tensor> AttendInTiles(const TiledInputs& in) {
  at::Tensor y = at::empty({in.documents(), in.length(), in.heads(), in.dim()}, in.q.options())
                     .transpose(1, 2);
  at::Tensor log_sums =
      at::empty({in.documents(), in.heads(), in.length()}, in.q.options().dtype(at::kFloat));
  ForwardPass(in, y, log_sums).Run();
  return {y, log_sums};
}

}  // namespace mozgach
