// Dataset notices: what people should know about the rows of a domain that are accepted. mozgachctl
// shows them at submit, the trainer before it trains.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/dataset/dataset.h"
#include "common/domain/domain_spec.h"

namespace mozgach {

// What is kept of a file whose rows have been read.
struct DatasetFacts {
  UnknownKeys unknown_keys;
  int64_t left_out = 0;
  std::vector<uint64_t> fingerprints;  // one per row, in order; equal rows have equal fingerprints
  bool conversations = false;          // at least one row is a conversation
  int64_t untrained_turn = 0;  // line of the first row with a turn that is not trained; 0: none
};

DatasetFacts FactsOf(const Dataset& dataset);

// A file under the name that the domain file gives it.
struct NamedFacts {
  std::string name;
  const DatasetFacts* facts = nullptr;
};

struct DomainFacts {
  std::vector<NamedFacts> train;
  std::optional<NamedFacts> validation;
  std::optional<NamedFacts> test;
};

// One sentence each, each once: keys that are not used, rows that are left out, a single row,
// duplicates, rows that are both trained and scored, scores that cannot be computed.
std::vector<std::string> DatasetNotices(const DomainSpec& spec, const DomainFacts& facts);

// INVALID_ARGUMENT if a row wants a turn not to be trained and `spec` trains every turn.
absl::Status CheckUntrainedTurns(const DomainSpec& spec, const NamedFacts& file);

}  // namespace mozgach
