// An Example is a row as the model sees it: ids, and which of them are trained.
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
  std::vector<uint8_t>
      trained;      // trained[i]: ids[i] is a target, predicted from ids[0..i-1]; trained[0] is 0
  int64_t row = 0;  // line of its file, for messages
  bool lacks_end = false;     // the template writes no end token after the last answer
  bool answers_lost = false;  // the template writes none of the answers
  bool lacks_eos = false;     // the tokenizer has no EOS to end a plain text with
  bool bare_turns = false;    // a conversation on a base that has no template of its own
  bool truncated = false;

  int64_t TrainedTokens() const;
};

// A test row: what is asked, and the answer that counts.
struct Question {
  std::vector<int32_t> prompt;
  std::string answer;
  int64_t row = 0;
};

// What became of the rows.
struct DataReport {
  int64_t rows = 0;
  int64_t dropped = 0;       // too long, or nothing left to train after truncation
  int64_t dropped_long = 0;  // those of them that are longer than the limit
  int64_t truncated = 0;
  int64_t tokens = 0;
  int64_t trained_tokens = 0;
  int64_t answers_lost = 0;  // rows whose answers the template leaves out; they are dropped
};

// Turns rows into examples.
//
// With a template: what the assistant says, turn by turn, and the token that ends each turn
// (turn_ends.h), with the template's text before it, are trained; what comes after that token, such
// as a line break, is not.  Where no end token follows the last answer, EOS is added to the text
// and trained.  Only the template's own markers are parsed for special tokens, and the mask is made
// from where each token's text came from, so a template may trim or split what people wrote; what
// it puts back of an answer in its own words (the <think> tags of a thought) is trained with it,
// and so is what it writes between the generation prompt and the last answer (an empty thought).
// Without a template: the turns on lines of their own (a prompt and a completion that are text:
// with nothing between them), each answer followed by EOS; answers and EOS are trained. `text`
// rows: the text and EOS, all of it trained. Special tokens are parsed in `text` rows, in a prompt
// and a completion that are text and, with chat_template "none", in every row: the ids are those of
// the plain text. No second EOS is added to a text that ends in one (white space may follow it).
// completion_only_loss false trains everything but BOS.  Exactly one BOS where the tokenizer wants
// one. Immutable; safe from any thread.
class ExampleBuilder {
 public:
  // `longest_text`: tokens that the base can read at once. `embedding_rows`: the ids that the model
  // knows end there.
  ExampleBuilder(std::shared_ptr<const Tokenizer> tokenizer,
                 std::shared_ptr<const ChatTemplate> chat_template, const DataSpec& data,
                 int64_t longest_text = INT64_MAX, int64_t embedding_rows = INT64_MAX);

  // The most tokens of an example: data.max_length, or longest_text where that is less.
  int64_t limit() const { return limit_; }
  // The limit and where it comes from: "data.max_length (1024 tokens)".
  std::string LimitInWords() const;

  // Before truncation. INVALID_ARGUMENT names a token that the embedding does not have.
  absl::StatusOr<Example> Build(const Row& row) const;

  // Build() for all rows, then `over_length`: truncated to limit() (the start is kept), dropped or
  // INVALID_ARGUMENT naming `file`:line.  Rows without a token left to train are dropped; all of
  // them may be.
  absl::StatusOr<std::vector<Example>> BuildAll(const std::vector<Row>& rows,
                                                const std::string& file, DataReport* report) const;

  // The row up to its last assistant turn, with the generation prompt, at most limit() tokens
  // (cut on the left; BOS stays).  INVALID_ARGUMENT "line N: what" for a `text` row, which asks
  // nothing, for a token that the embedding does not have, and for what the template refuses.
  absl::StatusOr<Question> Ask(const Row& row) const;

  // Where the answer to a question ends.
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
