#include "trainer/data/example.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/work_count.h"
#include "trainer/data/token_ids.h"

namespace mozgach {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// The turns [begin, end): on lines of their own, or with nothing between them where they are two
// parts of one text.
std::vector<Segment> LinesOf(const Row& row, size_t begin, size_t end) {
  std::vector<Segment> segments;
  for (size_t i = begin; i < end; ++i) {
    if (i > begin && !row.one_text) segments.push_back({"\n", -1});
    segments.push_back({row.messages[i].content, static_cast<int>(i)});
  }
  return segments;
}

bool IsSpaces(const std::string& text) {
  return text.find_first_not_of(kSpace) == std::string::npos;
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

std::string Joined(const std::vector<Segment>& segments) {
  std::string text;
  for (const Segment& segment : segments) text += segment.text;
  return text;
}

// The text before the first segment of `message`; nothing where it has none.
std::optional<std::string> TextBefore(const std::vector<Segment>& segments, int message) {
  std::string text;
  for (const Segment& segment : segments) {
    if (segment.message == message) return text;
    text += segment.text;
  }
  return std::nullopt;
}

void Append(const Example& part, Example* whole) {
  whole->ids.insert(whole->ids.end(), part.ids.begin(), part.ids.end());
  whole->trained.insert(whole->trained.end(), part.trained.begin(), part.trained.end());
  whole->lacks_eos = whole->lacks_eos || part.lacks_eos;
}

}  // namespace

int64_t Example::TrainedTokens() const {
  return std::count(trained.begin(), trained.end(), uint8_t{1});
}

ExampleBuilder::ExampleBuilder(std::shared_ptr<const Tokenizer> tokenizer,
                               std::shared_ptr<const ChatTemplate> chat_template,
                               const DataSpec& data, int64_t longest_text, int64_t embedding_rows)
    : tokenizer_(std::move(tokenizer)),
      chat_template_(std::move(chat_template)),
      data_(data),
      limit_(std::min(data.max_length, longest_text)),
      embedding_rows_(embedding_rows),
      turn_ends_(*tokenizer_, chat_template_.get()) {}

std::string ExampleBuilder::LimitInWords() const {
  if (limit_ == data_.max_length) return absl::StrCat("data.max_length (", limit_, " tokens)");
  return absl::StrCat("what the base reads at once (", limit_, " tokens; data.max_length is ",
                      data_.max_length, ")");
}

// What to do about a row that is too long, apart from data.over_length.
std::string ExampleBuilder::LimitAdvice() const {
  return limit_ == data_.max_length ? "raise it" : "stretch the context with rope_scaling";
}

bool ExampleBuilder::IsTarget(const Row& row, int message) const {
  const Message& turn = row.messages[static_cast<size_t>(message)];
  return message >= row.first_target && turn.role == "assistant" && turn.trained;
}

// Plain text, as transformers reads it: nothing in it is a person's words inside a template.
bool ExampleBuilder::ParsesEverything(const Row& row) const {
  if (!row.IsConversation() || data_.chat_template == "none") return true;
  return chat_template_ == nullptr && row.one_text;
}

std::vector<Tokenizer::Piece> ExampleBuilder::PiecesOf(const std::vector<Segment>& segments,
                                                       const Row& row) const {
  const bool everything = ParsesEverything(row);
  std::vector<Tokenizer::Piece> pieces;
  for (const Segment& segment : segments) {
    const bool parse = everything || segment.message < 0;
    pieces.push_back({segment.text, parse ? SpecialTokens::kParse : SpecialTokens::kAsText});
  }
  return pieces;
}

bool ExampleBuilder::HasTarget(const Row& row) const {
  for (int i = 0; i < static_cast<int>(row.messages.size()); ++i) {
    if (IsTarget(row, i)) return true;
  }
  return false;
}

absl::StatusOr<Example> ExampleBuilder::Encode(const std::vector<Segment>& segments,
                                               const Row& row) const {
  Example example;
  std::vector<int32_t> pieces;
  RETURN_IF_ERROR(tokenizer_->EncodePieces(PiecesOf(segments, row), turn_ends_.markers(),
                                           &example.ids, &pieces));
  for (const int32_t piece : pieces) {
    const int message = segments[static_cast<size_t>(piece)].message;
    example.trained.push_back(message >= 0 && IsTarget(row, message));
  }
  TrainWhatIsPutBack(segments, pieces, row, &example);
  TrainWhatIsPutAhead(segments, pieces, row, &example);
  example.answers_lost = HasTarget(row) && example.TrainedTokens() == 0;
  TrainEndsOfTurns(segments, pieces, row, &example);
  return example;
}

bool ExampleBuilder::IsMarker(int32_t id) const {
  const std::vector<int32_t>& markers = turn_ends_.markers();
  return tokenizer_->IsSpecial(id) ||
         std::find(markers.begin(), markers.end(), id) != markers.end();
}

// Where a template writes more before the last answer than the generation prompt holds (Qwen3's
// writes an empty thought), the model has to say that too when it is asked.
void ExampleBuilder::TrainWhatIsPutAhead(const std::vector<Segment>& segments,
                                         const std::vector<int32_t>& pieces, const Row& row,
                                         Example* example) const {
  const int last = static_cast<int>(row.messages.size()) - 1;
  if (chat_template_ == nullptr || last < 0 || !IsTarget(row, last)) return;
  const std::optional<std::string> before = TextBefore(segments, last);
  if (!before) return;
  const std::vector<Message> asked(row.messages.begin(), row.messages.end() - 1);
  const auto prompt = chat_template_->Render(asked, /*add_generation_prompt=*/true);
  if (!prompt.ok()) return;  // a template may refuse to be asked like this
  const std::string shared = Joined(*prompt);
  if (before->size() <= shared.size() || !before->starts_with(shared)) return;
  const std::string ahead = before->substr(shared.size());
  const auto of_last = [&](int32_t piece) {
    return segments[static_cast<size_t>(piece)].message == last;
  };
  const auto begin =
      static_cast<size_t>(std::find_if(pieces.begin(), pieces.end(), of_last) - pieces.begin());
  std::string text;
  for (size_t first = begin; first-- > 0 && text.size() < ahead.size();) {
    if (IsMarker(example->ids[first])) return;
    text = tokenizer_->Decode({&example->ids[first], begin - first}, /*skip_special=*/false);
    if (text != ahead) continue;
    std::fill(example->trained.begin() + static_cast<std::ptrdiff_t>(first),
              example->trained.begin() + static_cast<std::ptrdiff_t>(begin), uint8_t{1});
  }
}

// A template may take an answer apart and write what joins its parts, or what it began with,
// itself: Qwen3's cuts out a thought and puts its tags back.  The model has to say these too.
void ExampleBuilder::TrainWhatIsPutBack(const std::vector<Segment>& segments,
                                        const std::vector<int32_t>& pieces, const Row& row,
                                        Example* example) const {
  const auto segment_of = [&](size_t token) -> const Segment& {
    return segments[static_cast<size_t>(pieces[token])];
  };
  const auto train = [&](size_t begin, size_t end) {
    std::fill(example->trained.begin() + static_cast<std::ptrdiff_t>(begin),
              example->trained.begin() + static_cast<std::ptrdiff_t>(end), uint8_t{1});
  };
  for (size_t i = 1; i < pieces.size(); ++i) {
    const Segment& answer = segment_of(i);
    if (answer.message < 0 || !IsTarget(row, answer.message)) continue;
    size_t begin = i;  // start of the template's text before it, back to a marker
    while (begin > 0 && segment_of(begin - 1).message < 0 && !IsMarker(example->ids[begin - 1])) {
      --begin;
    }
    if (begin > 0 && segment_of(begin - 1).message == answer.message) {
      train(begin, i);
      continue;
    }
    const std::string_view content = row.messages[static_cast<size_t>(answer.message)].content;
    const std::string_view lost = Trimmed(content.substr(0, content.find(answer.text)));
    for (size_t first = i; !lost.empty() && first-- > begin;) {
      const std::string text = tokenizer_->Decode({&example->ids[first], i - first}, false);
      const bool found = Trimmed(text) == lost;
      if (found) train(first, i);
      if (found || text.size() > 2 * lost.size() + 16) break;
    }
  }
}

// Trains the end token behind each answer, with the template's text before it.
void ExampleBuilder::TrainEndsOfTurns(const std::vector<Segment>& segments,
                                      const std::vector<int32_t>& pieces, const Row& row,
                                      Example* example) const {
  const auto message_of = [&](size_t token) {
    return segments[static_cast<size_t>(pieces[token])].message;
  };
  const int last = static_cast<int>(row.messages.size()) - 1;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (!example->trained[i] || message_of(i) < 0) continue;
    size_t next = i + 1;
    while (next < pieces.size() && message_of(next) < 0) ++next;
    const bool answer_goes_on = next < pieces.size() && message_of(next) == message_of(i);
    if (answer_goes_on) continue;
    const auto end = turn_ends_.Find({example->ids.data() + i + 1, next - i - 1});
    if (message_of(i) == last) example->lacks_end = !end.has_value();
    if (!end) continue;
    std::fill(example->trained.begin() + static_cast<std::ptrdiff_t>(i),
              example->trained.begin() + static_cast<std::ptrdiff_t>(i + *end) + 2, uint8_t{1});
  }
}

// Does nothing where the tokenizer has no EOS, or the text ends in one already.
void ExampleBuilder::AddEos(bool trained, Example* example) const {
  const auto eos = tokenizer_->EosId();
  example->lacks_eos = !eos.has_value();
  if (!eos) return;
  size_t end = example->ids.size();
  while (end > 0 && example->ids[end - 1] != *eos && !tokenizer_->IsAdded(example->ids[end - 1]) &&
         IsSpaces(tokenizer_->Decode({&example->ids[end - 1], 1}, /*skip_special=*/false))) {
    --end;
  }
  if (end > 0 && example->ids[end - 1] == *eos) return;
  example->ids.push_back(*eos);
  example->trained.push_back(trained);
}

void ExampleBuilder::PrependBos(Example* example) const {
  const std::optional<int32_t> bos = tokenizer_->BosToPrepend();
  if (!bos || (!example->ids.empty() && example->ids.front() == *bos)) return;
  example->ids.insert(example->ids.begin(), *bos);
  example->trained.insert(example->trained.begin(), uint8_t{0});
}

absl::StatusOr<Example> ExampleBuilder::BuildConversation(const Row& row) const {
  ASSIGN_OR_RETURN(const std::vector<Segment> segments,
                   chat_template_->Render(row.messages, /*add_generation_prompt=*/false));
  ASSIGN_OR_RETURN(Example example, Encode(segments, row));
  if (!example.lacks_end) return example;
  // Whatever the template writes behind the answer has to be said before EOS.
  const auto last = std::find(example.trained.rbegin(), example.trained.rend(), uint8_t{1});
  std::fill(example.trained.rbegin(), last, uint8_t{1});
  AddEos(/*trained=*/true, &example);
  return example;
}

absl::StatusOr<Example> ExampleBuilder::BuildText(const Row& row) const {
  Example example;
  RETURN_IF_ERROR(tokenizer_->Encode(row.text, SpecialTokens::kParse, &example.ids));
  example.trained.assign(example.ids.size(), 1);
  AddEos(/*trained=*/true, &example);
  return example;
}

absl::StatusOr<Example> ExampleBuilder::BuildTurns(const Row& row) const {
  Example example;
  size_t begin = 0;
  for (size_t i = 0; i < row.messages.size(); ++i) {
    if (row.messages[i].role != "assistant") continue;
    ASSIGN_OR_RETURN(Example part, Encode(LinesOf(row, begin, i + 1), row));
    AddEos(IsTarget(row, static_cast<int>(i)), &part);
    Append(part, &example);
    begin = i + 1;
  }
  example.bare_turns = chat_template_ == nullptr && data_.chat_template == "auto" && !row.one_text;
  return example;
}

absl::StatusOr<Example> ExampleBuilder::Build(const Row& row) const {
  const bool by_template = row.IsConversation() && chat_template_ != nullptr;
  ASSIGN_OR_RETURN(Example example, by_template            ? BuildConversation(row)
                                    : row.IsConversation() ? BuildTurns(row)
                                                           : BuildText(row));
  PrependBos(&example);
  RETURN_IF_ERROR(CheckIds(example.ids, embedding_rows_, *tokenizer_));
  example.row = row.line;
  if (!data_.completion_only_loss && row.HasUntrainedTurn()) {
    return absl::InvalidArgumentError(
        "a turn says that it is not trained, but data.completion_only_loss is false, which trains "
        "every turn: set it to true, or remove the key");
  }
  if (!data_.completion_only_loss) {
    // Some bases have one token for both ends: as an end it is trained.
    const auto bos =
        tokenizer_->BosId() == tokenizer_->EosId() ? std::nullopt : tokenizer_->BosId();
    for (size_t i = 0; i < example.ids.size(); ++i) {
      example.trained[i] = !bos || example.ids[i] != *bos;
    }
  }
  if (!example.trained.empty()) example.trained[0] = 0;
  return example;
}

absl::StatusOr<std::vector<Example>> ExampleBuilder::BuildAll(const std::vector<Row>& rows,
                                                              const std::string& file,
                                                              DataReport* report) const {
  std::vector<Example> examples;
  *report = DataReport{static_cast<int64_t>(rows.size())};
  const auto limit = static_cast<size_t>(limit_);
  for (const Row& row : rows) {
    const std::string place = absl::StrCat(file, ":", row.line);
    absl::StatusOr<Example> example = Build(row);
    NoteWork();
    if (!example.ok()) return Annotate(example.status(), place);
    report->answers_lost += example->answers_lost;
    const bool too_long = example->ids.size() > limit;
    if (too_long && data_.over_length == "error") {
      return absl::InvalidArgumentError(absl::StrCat(
          place, ": the row has ", example->ids.size(), " tokens, more than ", LimitInWords(), ": ",
          LimitAdvice(), ", shorten the row, or set data.over_length to truncate or drop"));
    }
    if (too_long) {
      example->truncated = true;
      example->ids.resize(limit);
      example->trained.resize(limit);
    }
    const bool dropped = too_long && data_.over_length == "drop";
    if (dropped || example->answers_lost || example->TrainedTokens() == 0) {
      ++report->dropped;
      report->dropped_long += too_long ? 1 : 0;
      continue;
    }
    report->truncated += too_long ? 1 : 0;
    report->tokens += static_cast<int64_t>(example->ids.size());
    report->trained_tokens += example->TrainedTokens();
    examples.push_back(*std::move(example));
  }
  return examples;
}

absl::StatusOr<Example> ExampleBuilder::EncodeQuestion(const Row& row) const {
  if (!row.IsConversation()) {
    return absl::InvalidArgumentError(
        "a text row asks nothing: exact_match needs rows with a question and an answer, or set "
        "evaluation.metrics to [perplexity]");
  }
  if (chat_template_ != nullptr) {
    const std::vector<Message> asked(row.messages.begin(), row.messages.end() - 1);
    ASSIGN_OR_RETURN(const std::vector<Segment> segments,
                     chat_template_->Render(asked, /*add_generation_prompt=*/true));
    return Encode(segments, row);
  }
  // As BuildTurns does it, without the last answer: the line break before it stays.
  Row earlier = row;
  earlier.messages.pop_back();
  ASSIGN_OR_RETURN(Example example, BuildTurns(earlier));
  size_t begin = earlier.messages.size();
  while (begin > 0 && row.messages[begin - 1].role != "assistant") --begin;
  Row question = row;
  question.messages.back().content.clear();
  ASSIGN_OR_RETURN(const Example last, Encode(LinesOf(question, begin, row.messages.size()), row));
  Append(last, &example);
  return example;
}

absl::StatusOr<Question> ExampleBuilder::Ask(const Row& row) const {
  absl::StatusOr<Example> example = EncodeQuestion(row);
  const std::string place = absl::StrCat("line ", row.line);
  if (!example.ok()) return Annotate(example.status(), place);
  PrependBos(&*example);
  const absl::Status known = CheckIds(example->ids, embedding_rows_, *tokenizer_);
  if (!known.ok()) return Annotate(known, place);
  Question question{std::move(example->ids), row.messages.back().content, row.line};
  std::vector<int32_t>& prompt = question.prompt;
  const auto limit = static_cast<size_t>(std::max<int64_t>(1, limit_));
  if (prompt.size() > limit) {
    const size_t kept = tokenizer_->BosToPrepend() == prompt.front() ? 1 : 0;
    prompt.erase(prompt.begin() + static_cast<std::ptrdiff_t>(kept),
                 prompt.end() - static_cast<std::ptrdiff_t>(limit - kept));
  }
  return question;
}

}  // namespace mozgach
