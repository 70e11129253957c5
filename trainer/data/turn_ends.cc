#include "trainer/data/turn_ends.h"

#include <algorithm>
#include <string>

namespace mozgach {
namespace {

bool Contains(const std::vector<int32_t>& ids, int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

void AddOnce(int32_t id, std::vector<int32_t>* ids) {
  if (!Contains(*ids, id)) ids->push_back(id);
}

std::vector<Message> SampleConversation(int turns) {
  const std::vector<Message> all = {{"user", "mozgach asks first"},
                                    {"assistant", "mozgach says this"},
                                    {"user", "mozgach asks again"},
                                    {"assistant", "mozgach says more"}};
  return {all.begin(), all.begin() + 2 * turns};
}

std::vector<int32_t> AddedIn(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<int32_t> ids;
  if (!tokenizer.Encode(text, SpecialTokens::kParse, &ids).ok()) return {};
  std::erase_if(ids, [&](int32_t id) { return !tokenizer.IsAdded(id); });
  return ids;
}

// The added tokens in a sample conversation, in the order of the text.
struct Sample {
  std::vector<int32_t> before_question;  // before the first question
  std::vector<int32_t> before_answer;    // between the first question and its answer
  std::vector<int32_t> after_answer;     // between the first answer and the second question
  std::vector<int32_t> after_last;       // after the last answer
  std::vector<int32_t> generation_prompt;
  bool asks = false;  // add_generation_prompt changes the text
};

// Returns the template's own text between the messages `left` and `right` (-1: the start or the
// end).
std::string TextBetween(const std::vector<Segment>& segments, int left, int right) {
  std::string text;
  bool inside = left < 0;
  for (const Segment& segment : segments) {
    if (right >= 0 && segment.message == right) break;
    if (segment.message == left && left >= 0) {
      inside = true;
      text.clear();
    } else if (inside) {
      text += segment.text;
    }
  }
  return inside ? text : "";
}

std::string TextOf(const std::vector<Segment>& segments) {
  std::string text;
  for (const Segment& segment : segments) text += segment.text;
  return text;
}

std::string GenerationPrompt(const ChatTemplate& chat_template) {
  const std::vector<Message> question = {SampleConversation(1).front()};
  const auto asked = chat_template.Render(question, /*add_generation_prompt=*/true);
  const auto plain = chat_template.Render(question, /*add_generation_prompt=*/false);
  if (!asked.ok() || !plain.ok()) return "";
  const std::string whole = TextOf(*asked), shared = TextOf(*plain);
  return whole.starts_with(shared) ? whole.substr(shared.size()) : "";
}

std::optional<Sample> WriteSample(const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
  int turns = 2;
  auto segments = chat_template.Render(SampleConversation(turns), false);
  if (!segments.ok()) segments = chat_template.Render(SampleConversation(turns = 1), false);
  if (!segments.ok()) return std::nullopt;
  const auto between = [&](int left, int right) {
    return AddedIn(tokenizer, TextBetween(*segments, left, right));
  };
  const std::string prompt = GenerationPrompt(chat_template);
  Sample sample;
  sample.before_question = between(-1, 0);
  sample.before_answer = between(0, 1);
  if (turns == 2) sample.after_answer = between(1, 2);
  sample.after_last = between(2 * turns - 1, -1);
  sample.generation_prompt = AddedIn(tokenizer, prompt);
  sample.asks = !prompt.empty();
  return sample;
}

}  // namespace

TurnEnds::TurnEnds(const Tokenizer& tokenizer, const ChatTemplate* chat_template)
    : declared_(tokenizer.StopIds()) {
  if (const auto eos = tokenizer.EosId()) AddOnce(*eos, &declared_);
  if (chat_template != nullptr) Learn(tokenizer, *chat_template);
  stop_ids_ = declared_;
  for (const int32_t id : written_) AddOnce(id, &stop_ids_);
  markers_ = stop_ids_;
  for (const int32_t id : begins_) AddOnce(id, &markers_);
  std::erase_if(markers_, [&](int32_t id) { return !tokenizer.IsAdded(id); });
}

void TurnEnds::Learn(const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
  const auto sample = WriteSample(tokenizer, chat_template);
  if (!sample) return;
  if (!sample->before_question.empty()) {
    AddOnce(sample->before_question.front(), &begins_);
    AddOnce(sample->before_question.back(), &begins_);
  }
  if (!sample->generation_prompt.empty()) AddOnce(sample->generation_prompt.front(), &begins_);
  // A template that always writes a generation prompt ends with the start of the next turn.
  std::optional<int32_t> start_of_answer;
  if (!sample->asks && !sample->before_answer.empty()) {
    start_of_answer = sample->before_answer.back();
  }
  if (!sample->after_last.empty() && sample->after_last.front() != start_of_answer) {
    written_ = {sample->after_last.front()};
  } else if (!sample->after_answer.empty() && !Contains(begins_, sample->after_answer.front()) &&
             sample->after_answer.front() != tokenizer.BosId()) {
    written_ = {sample->after_answer.front()};
  }
  std::erase_if(begins_, [&](int32_t id) { return Contains(written_, id); });
}

std::optional<size_t> TurnEnds::Find(std::span<const int32_t> ids) const {
  std::optional<size_t> written;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (Contains(declared_, ids[i])) return i;
    if (Contains(begins_, ids[i])) break;
    if (!written && Contains(written_, ids[i])) written = i;
  }
  return written;
}

}  // namespace mozgach
