#include "trainer/data/batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/random.h"
#include "planner/ceil_divide.h"

namespace mozgach {
namespace {

constexpr size_t kOpenSequences = 64;

// Most rows to pack in order to count the steps of a training (one or two seconds).
constexpr int64_t kMostPackedRows = 10'000'000;

std::vector<int32_t> Shuffled(int64_t rows, Random random) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  for (size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[random.Below(static_cast<uint32_t>(left))]);
  }
  return order;
}

}  // namespace

std::vector<int32_t> EpochOrder(int64_t rows, int64_t seed, int64_t epoch) {
  return Shuffled(rows, Random(static_cast<uint64_t>(seed), RandomStream::kShuffle,
                               static_cast<uint32_t>(epoch), static_cast<uint32_t>(epoch >> 32)));
}

std::vector<Sequence> Pack(const std::vector<int32_t>& order, const std::vector<int64_t>& lengths,
                           int64_t max_length) {
  std::vector<Sequence> sequences;
  std::vector<size_t> open;  // indices of sequences, oldest first
  for (const int32_t row : order) {
    const int64_t length = lengths[static_cast<size_t>(row)];
    const auto fits = std::find_if(open.begin(), open.end(), [&](size_t i) {
      return sequences[i].tokens + length <= max_length;
    });
    size_t target = sequences.size();
    if (fits != open.end()) {
      target = *fits;
    } else {
      sequences.emplace_back();
      if (open.size() == kOpenSequences) open.erase(open.begin());
      open.push_back(target);
    }
    sequences[target].examples.push_back(row);
    sequences[target].tokens += length;
  }
  return sequences;
}

BatchPlan::BatchPlan(std::vector<int64_t> lengths, const DataSpec& data,
                     const TrainingSpec& training)
    : lengths_(std::move(lengths)),
      max_length_(data.max_length),
      packing_(data.packing),
      seed_(training.seed),
      batch_(std::max<int64_t>(1, training.per_device_train_batch_size)),
      accumulation_(std::max<int64_t>(1, training.gradient_accumulation_steps)) {
  if (lengths_.empty()) return;
  steps_ = training.max_steps ? *training.max_steps : StepsOfEpochs(training.num_train_epochs);
}

std::vector<Sequence> BatchPlan::Sequences(int64_t epoch) const {
  const std::vector<int32_t> order =
      EpochOrder(static_cast<int64_t>(lengths_.size()), seed_, epoch);
  if (packing_) return Pack(order, lengths_, max_length_);
  std::vector<Sequence> sequences;
  sequences.reserve(order.size());
  for (const int32_t row : order) {
    sequences.push_back({{row}, lengths_[static_cast<size_t>(row)]});
  }
  return sequences;
}

int64_t BatchPlan::StepsIn(int64_t sequences) const {
  return CeilDivide(CeilDivide(sequences, batch_), accumulation_);
}

int64_t BatchPlan::StepsOfEpochs(double epochs) const {
  const auto rows = static_cast<int64_t>(lengths_.size());
  const auto whole = static_cast<int64_t>(epochs);
  const int64_t counted =
      packing_ ? std::min(whole, std::max<int64_t>(1, kMostPackedRows / rows)) : 0;
  double steps = 0;
  double last = static_cast<double>(StepsIn(rows));
  for (int64_t epoch = 0; epoch < counted; ++epoch) {
    last = static_cast<double>(StepsIn(static_cast<int64_t>(Sequences(epoch).size())));
    steps += last;
  }
  // Subtracts a small tolerance: in floating point, 1.1 - 1 is slightly more than 0.1.
  const double rest = epochs - static_cast<double>(counted) - 1e-9;
  if (packing_ && counted == whole && rest > 0) {
    last = static_cast<double>(StepsIn(static_cast<int64_t>(Sequences(whole).size())));
  }
  if (rest > 0) steps += std::ceil(rest * last);
  return std::max<int64_t>(1, static_cast<int64_t>(steps));
}

StepPlan BatchPlan::step(int64_t index) const {
  if (epoch_.number < 0 || index < epoch_.first) epoch_ = {0, 0, Sequences(0)};
  for (;;) {
    const int64_t count = StepsIn(static_cast<int64_t>(epoch_.sequences.size()));
    if (index < epoch_.first + count) break;
    epoch_ = {epoch_.number + 1, epoch_.first + count, Sequences(epoch_.number + 1)};
  }
  const std::vector<Sequence>& all = epoch_.sequences;
  const auto begin = static_cast<size_t>((index - epoch_.first) * batch_ * accumulation_);
  StepPlan plan;
  for (size_t micro = begin; plan.size() < static_cast<size_t>(accumulation_) && micro < all.size();
       micro += static_cast<size_t>(batch_)) {
    const size_t end = std::min(all.size(), micro + static_cast<size_t>(batch_));
    plan.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(micro),
                      all.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return plan;
}

std::vector<int32_t> ValidationRows(int64_t rows, double fraction, int64_t seed) {
  if (rows < 2 || !(fraction > 0)) return {};
  const auto wanted = static_cast<int64_t>(std::llround(static_cast<double>(rows) * fraction));
  std::vector<int32_t> chosen =
      Shuffled(rows, Random(static_cast<uint64_t>(seed), RandomStream::kValidation));
  chosen.resize(static_cast<size_t>(std::clamp<int64_t>(wanted, 1, rows - 1)));
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace mozgach
