#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "trainer/attention/tiled_attention_pass.h"
#include "trainer/kernels/tile_product.h"

namespace mozgach {
namespace {

// Large enough that e^-kNoQuery is 0. Marks the columns after a document's last query.
constexpr float kNoQuery = 1e30f;

struct BackwardWork {
  float log_sums[kTile];
  float dots[kTile];
  float ones[kTile];
  float scores[kTile * kTile];
  float grad_weights[kTile * kTile];
  TileGradients gradients;
};

// Buffers of one thread, each [dim, kTile] or half of that.
struct QueryColumns {
  float* grad_q;
  uint32_t* q_pairs;  // [dim / 2, kTile]
  uint32_t* y_pairs;  // pairs of grad_y
  uint32_t* q_rows;   // [kTile / 2, dim]
  uint32_t* y_rows;
};

at::Tensor LikeHeads(const at::Tensor& x) {
  return at::empty({x.size(0), x.size(2), x.size(1), x.size(3)}, x.options()).transpose(1, 2);
}

// A task is all query heads of one key head. If that gives fewer tasks than threads, a task is a
// slice of those query heads, and the slices' gradients of keys and values are added afterwards.
class BackwardPass {
 public:
  BackwardPass(const TiledInputs& in, const at::Tensor& y, const at::Tensor& log_sums,
               const at::Tensor& grad_y)
      : in_(in),
        y_(y),
        log_sums_(log_sums),
        grad_y_(grad_y),
        grad_{LikeHeads(in.q), LikeHeads(in.k), LikeHeads(in.v)},
        keys_(TransposedHeads(in.k)),
        slices_(std::min(in.group(), (at::get_num_threads() + pairs() - 1) / pairs())),
        work_(at::empty({at::get_num_threads(), static_cast<int64_t>(sizeof(BackwardWork))},
                        at::kByte)),
        columns_(at::empty({at::get_num_threads(), in.dim() * kTile * 3}, at::kFloat)),
        sums_(at::empty(
            {slices_ == 1 ? std::min<int64_t>(at::get_num_threads(), pairs()) : pairs() * slices_,
             2, in.length(), in.dim()},
            at::kFloat)) {}

  TiledGradients Run() {
    OverTasks(pairs() * slices_, [&](int64_t thread, int64_t task) {
      float* sums = Sums(slices_ == 1 ? thread : task);
      RunSlice(thread, task / slices_, task % slices_, sums);
      if (slices_ == 1) PutKeys(task, sums);
    });
    if (slices_ > 1) {
      OverTasks(pairs(), [&](int64_t, int64_t pair) {
        float* sums = Sums(pair * slices_);
        for (int64_t slice = 1; slice < slices_; ++slice) {
          const float* more = Sums(pair * slices_ + slice);
          for (int64_t i = 0; i < sums_.stride(0); ++i) sums[i] += more[i];
        }
        PutKeys(pair, sums);
      });
    }
    return grad_;
  }

 private:
  // Pairs of a document and a key head.
  int64_t pairs() const { return in_.documents() * in_.kv_heads(); }
  float* Sums(int64_t index) { return sums_.mutable_data_ptr<float>() + index * sums_.stride(0); }

  QueryColumns ColumnsOf(int64_t thread) {
    const int64_t size = in_.dim() * kTile;
    float* begin = columns_.mutable_data_ptr<float>() + thread * columns_.size(1);
    auto* pairs = reinterpret_cast<uint32_t*>(begin + size);
    return {begin, pairs, pairs + size / 2, pairs + size, pairs + size + size / 2};
  }

  void RunSlice(int64_t thread, int64_t pair, int64_t slice, float* sums) {
    std::fill(sums, sums + sums_.stride(0), 0.0f);
    const int64_t document = pair / in_.kv_heads(), kv_head = pair % in_.kv_heads();
    const int64_t first = in_.group() * slice / slices_;
    const int64_t last = in_.group() * (slice + 1) / slices_;
    for (int64_t member = first; member < last; ++member) {
      for (int64_t query = 0; query < in_.length(); query += kTile) {
        RunTile(thread, document, kv_head * in_.group() + member, query, sums);
      }
    }
  }

  void RunTile(int64_t thread, int64_t document, int64_t head, int64_t query, float* sums) {
    auto& work = *reinterpret_cast<BackwardWork*>(work_.mutable_data_ptr<uint8_t>() +
                                                  thread * work_.size(1));
    const QueryColumns columns = ColumnsOf(thread);
    Begin(document, head, query, work, columns);
    for (int64_t key = in_.FirstKey(query); key < in_.EndKey(query); key += kTile) {
      AddKeys(document, head / in_.group(), query, key, work, columns, sums);
    }
    PutColumns(columns.grad_q, in_.dim(), work.ones, std::min(kTile, in_.length() - query),
               Place(grad_.q, document, head, query), grad_.q.stride(2));
  }

  void Begin(int64_t document, int64_t head, int64_t query, BackwardWork& work,
             const QueryColumns& columns) {
    const int64_t dim = in_.dim();
    const TileRows q = RowsOf(in_.q, document, head, query);
    const TileRows grad_y = RowsOf(grad_y_, document, head, query);
    TransposePairs(q, dim, columns.q_pairs);
    InterleaveRows(q, dim, columns.q_rows);
    TransposePairs(grad_y, dim, columns.y_pairs);
    InterleaveRows(grad_y, dim, columns.y_rows);
    RowDots(RowsOf(y_, document, head, query), grad_y, dim, work.dots);
    std::fill(work.ones, work.ones + kTile, 1.0f);
    std::fill(work.log_sums, work.log_sums + kTile, kNoQuery);
    const float* log_sums =
        log_sums_.const_data_ptr<float>() + (document * in_.heads() + head) * in_.length() + query;
    std::copy(log_sums, log_sums + q.rows, work.log_sums);
    std::fill(columns.grad_q, columns.grad_q + dim * kTile, 0.0f);
  }

  // Processes one tile of keys with the tile of queries that Begin() prepared.
  void AddKeys(int64_t document, int64_t kv_head, int64_t query, int64_t key, BackwardWork& work,
               const QueryColumns& columns, float* sums) {
    const int64_t dim = in_.dim();
    const TileRows k = RowsOf(in_.k, document, kv_head, key);
    const TileRows v = RowsOf(in_.v, document, kv_head, key);
    Multiply(
        {Bits(k), k.stride, columns.q_pairs, kTile, k.rows, kTile, dim, work.scores, kTile, false});
    if (in_.Hides(query, key)) HideScores(work.scores, k.rows, key - query, in_.window);
    Multiply({Bits(v), v.stride, columns.y_pairs, kTile, v.rows, kTile, dim, work.grad_weights,
              kTile, false});
    TileGradients& gradients = work.gradients;
    GradientsOfTile(work.scores, work.grad_weights, k.rows, in_.scale, work.log_sums, work.dots,
                    &gradients);
    float* grad_k = sums + key * dim;
    float* grad_v = grad_k + in_.length() * dim;
    Multiply(
        {gradients.weights, kTile, columns.y_rows, dim, k.rows, dim, kTile, grad_v, dim, true});
    Multiply({gradients.scores, kTile, columns.q_rows, dim, k.rows, dim, kTile, grad_k, dim, true});
    const auto* transposed =
        reinterpret_cast<const uint16_t*>(keys_.const_data_ptr<c10::BFloat16>()) +
        (document * in_.kv_heads() + kv_head) * dim * in_.padded() + key;
    Multiply({transposed, in_.padded(), gradients.score_pairs, kTile, dim, kTile,
              (k.rows + 1) / 2 * 2, columns.grad_q, kTile, true});
  }

  void PutKeys(int64_t pair, const float* sums) {
    const int64_t document = pair / in_.kv_heads(), kv_head = pair % in_.kv_heads();
    for (at::Tensor* grad : {&grad_.k, &grad_.v}) {
      for (int64_t row = 0; row < in_.length(); ++row, sums += in_.dim()) {
        std::copy(sums, sums + in_.dim(), Place(*grad, document, kv_head, row));
      }
    }
  }

  static const uint16_t* Bits(const TileRows& rows) {
    return reinterpret_cast<const uint16_t*>(rows.data);
  }
  static c10::BFloat16* Place(at::Tensor& x, int64_t document, int64_t head, int64_t row) {
    return x.mutable_data_ptr<c10::BFloat16>() + document * x.stride(0) + head * x.stride(1) +
           row * x.stride(2);
  }

  const TiledInputs& in_;
  const at::Tensor& y_;
  const at::Tensor& log_sums_;
  const at::Tensor& grad_y_;
  TiledGradients grad_;
  at::Tensor keys_;
  int64_t slices_;
  at::Tensor work_;
  at::Tensor columns_;
  at::Tensor sums_;  // float32 gradients of a head's k and v
};

}  // namespace

TiledGradients TiledBackward(const TiledInputs& in, const at::Tensor& y, const at::Tensor& log_sums,
                             const at::Tensor& grad_y) {
  return BackwardPass(in, y, log_sums, grad_y).Run();
}

}  // namespace mozgach
