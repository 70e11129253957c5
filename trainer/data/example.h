// An Example is a row as the model sees it: token ids, and which of them are trained.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/dataset/dataset.h"
#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "trainer/chat/chat_template.h"
#include "trainer/data/turn_ends.h"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {

struct Example {
  std::vector<int32_t> ids;
  std::vector<uint8_t> trained;  // trained[i]: ids[i] is a target; trained[0] is 0
  int64_t row = 0;               // line in its file, for messages
  bool lacks_end = false;        // the template writes no end token after the last answer
  bool answers_lost = false;     // the template omits all answers
  bool lacks_eos = false;        // the tokenizer has no EOS for the end of a plain text
  bool bare_turns = false;       // a conversation on a base without a chat template
  bool truncated = false;

  int64_t TrainedTokens() const;
};

// A test row: the prompt and the correct answer.
struct Question {
  std::vector<int32_t> prompt;
  std::string answer;
  int64_t row = 0;
};

// Counts how many rows are used, dropped and truncated.
struct DataReport {
  int64_t rows = 0;
  int64_t dropped = 0;       // too long, or without a token to train after truncation
  int64_t dropped_long = 0;  // the dropped rows that are longer than the limit
  int64_t truncated = 0;
  int64_t tokens = 0;
  int64_t trained_tokens = 0;
  int64_t answers_lost = 0;  // rows whose answers the template omits; they are dropped
};

// Turns rows into examples. Immutable; thread-safe.
//
// With a template, the assistant's answers are trained, and the token that ends each turn
// (turn_ends.h) with the template's text before it. Text after that token, such as a line break, is
// not trained. If the last answer is not followed by an end token, EOS is added and trained.
// Special tokens are parsed only in the template's own text. The mask follows the origin of each
// token, so a template may trim or split messages. Two more parts are trained: text that the
// template writes inside an answer (the <think> tags of a thought), and text between the generation
// prompt and the last answer (an empty thought).
//
// Without a template, each turn is a line of its own, and each answer is followed by EOS; answers
// and EOS are trained. A prompt and a completion that are plain text are concatenated directly.
//
// In `text` rows the text and EOS are trained.
//
// Special tokens are parsed in `text` rows, in a prompt and a completion that are plain text and,
// with chat_template "none", in every row: the ids are those of the plain text. If a text ends with
// EOS, optionally followed by white space, a second EOS is not added. With completion_only_loss
// false, everything except BOS is trained. If the tokenizer wants a BOS, there is exactly one.
class ExampleBuilder {
 public:
  // `longest_text`: the context of the base in tokens. `embedding_rows`: rows of the model's
  // embedding; ids must be smaller.
  ExampleBuilder(std::shared_ptr<const Tokenizer> tokenizer,
                 std::shared_ptr<const ChatTemplate> chat_template, const DataSpec& data,
                 int64_t longest_text = INT64_MAX, int64_t embedding_rows = INT64_MAX);

  // Returns the maximum number of tokens of an example: the smaller of data.max_length and
  // longest_text.
  int64_t limit() const { return limit_; }
  // Returns the limit and its source: "data.max_length (1024 tokens)".
  std::string LimitInWords() const;

  // Builds an example, without truncation. INVALID_ARGUMENT names a token that is not in the
  // embedding.
  absl::StatusOr<Example> Build(const Row& row) const;

  // Builds all rows and applies `over_length` to those above limit(): truncates them (keeping the
  // start), drops them, or returns INVALID_ARGUMENT with `file`:line. Rows without a token left to
  // train are dropped; the result may be empty.
  absl::StatusOr<std::vector<Example>> BuildAll(const std::vector<Row>& rows,
                                                const std::string& file, DataReport* report) const;

  // Returns the row up to its last assistant turn, with the generation prompt, at most limit()
  // tokens (cut on the left; BOS stays). INVALID_ARGUMENT "line N: what" for a `text` row, which
  // has no question, for a token that is not in the embedding, and for a conversation that the
  // template rejects.
  absl::StatusOr<Question> Ask(const Row& row) const;

  // Tokens that end the answer to a question.
  const std::vector<int32_t>& stop_ids() const { return turn_ends_.stop_ids(); }

 private:
  absl::StatusOr<Example> BuildConversation(const Row& row) const;
  absl::StatusOr<Example> BuildText(const Row& row) const;
  absl::StatusOr<Example> BuildTurns(const Row& row) const;
  absl::StatusOr<Example> EncodeQuestion(const Row& row) const;
  absl::StatusOr<Example> Encode(const std::vector<Segment>& segments, const Row& row) const;
  bool ParsesEverything(const Row& row) const;
  bool IsMarker(int32_t id) const;
  std::vector<Tokenizer::Piece> PiecesOf(const std::vector<Segment>& segments,
                                         const Row& row) const;
  void TrainEndsOfTurns(const std::vector<Segment>& segments, const std::vector<int32_t>& pieces,
                        const Row& row, Example* example) const;
  void AddEos(bool trained, Example* example) const;
  void TrainWhatIsPutBack(const std::vector<Segment>& segments, const std::vector<int32_t>& pieces,
                          const Row& row, Example* example) const;
  void TrainWhatIsPutAhead(const std::vector<Segment>& segments, const std::vector<int32_t>& pieces,
                           const Row& row, Example* example) const;
  void PrependBos(Example* example) const;
  bool IsTarget(const Row& row, int message) const;
  std::string LimitAdvice() const;
  bool HasTarget(const Row& row) const;

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const ChatTemplate> chat_template_;
  DataSpec data_;
  int64_t limit_;
  int64_t embedding_rows_;
  TurnEnds turn_ends_;
};

}  // namespace mozgach
