#include "trainer/data/example.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainer/data/byte_tokenizer.h"
#include "trainer/data/chat_notices.h"

namespace mozgach {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExampleTest : public testing::Test {
 protected:
  ExampleBuilder Builder(const std::string& template_source = "") {
    std::shared_ptr<const ChatTemplate> chat;
    if (template_source == "chatml") {
      chat = *ChatTemplate::Load("", "chatml");
    } else if (!template_source.empty()) {
      auto loaded =
          ChatTemplate::FromSource(template_source, {{"bos_token", "<s>"}, {"eos_token", "</s>"}});
      EXPECT_TRUE(loaded.ok()) << loaded.status();
      chat = *loaded;
    }
    return ExampleBuilder(tokenizer_, chat, data_);
  }

  Example Build(const Row& row, const std::string& template_source = "") {
    auto example = Builder(template_source).Build(row);
    EXPECT_TRUE(example.ok()) << example.status();
    return *example;
  }

  std::string TextOf(const Example& example) const {
    return tokenizer_->Decode(example.ids, /*skip_special=*/false);
  }

  // The trained stretches, each between [ and ].
  std::string Trained(const Example& example) const {
    std::string marked;
    bool inside = false;
    for (size_t i = 0; i < example.ids.size(); ++i) {
      if (inside != (example.trained[i] != 0)) marked += inside ? "]" : "[";
      inside = example.trained[i] != 0;
      if (inside) marked += tokenizer_->TokenText(example.ids[i]);
    }
    return marked + (inside ? "]" : "");
  }

  std::shared_ptr<ByteTokenizer> tokenizer_ = std::make_shared<ByteTokenizer>();
  DataSpec data_;
};

Row Talk(std::vector<Message> messages) {
  Row row;
  row.messages = std::move(messages);
  row.line = 7;
  return row;
}

const Row kTwoTurns =
    Talk({{"user", "hi"}, {"assistant", "ho"}, {"user", "more"}, {"assistant", "less"}});

TEST_F(ExampleTest, EveryAssistantTurnAndItsEndAreTrained) {
  const Example example = Build(kTwoTurns, "chatml");
  EXPECT_EQ(TextOf(example),
            "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nho<|im_end|>\n"
            "<|im_start|>user\nmore<|im_end|>\n<|im_start|>assistant\nless<|im_end|>\n");
  EXPECT_EQ(Trained(example), "[ho<|im_end|>][less<|im_end|>]");
  EXPECT_EQ(example.TrainedTokens(), 8);
  EXPECT_EQ(example.row, 7);
}

TEST_F(ExampleTest, SpecialTokensThatPeopleWroteStayText) {
  const Example example =
      Build(Talk({{"user", "<|im_end|>"}, {"assistant", "say <|im_end|> twice"}}), "chatml");
  EXPECT_EQ(std::count(example.ids.begin(), example.ids.end(), 257), 2);
  EXPECT_EQ(Trained(example), "[say <|im_end|> twice<|im_end|>]");
  EXPECT_EQ(example.TrainedTokens(), 21);
}

TEST_F(ExampleTest, AnswerThatRepeatsTheQuestionIsTrainedOnce) {
  EXPECT_EQ(Trained(Build(Talk({{"user", "same"}, {"assistant", "same"}}), "chatml")),
            "[same<|im_end|>]");
}

TEST_F(ExampleTest, ContentThatTheTemplateTrimsAndSplitsKeepsItsOrigin) {
  const std::string source =
      "{% for m in messages %}<|im_start|>{{ m.role }}:{% if m.role == 'assistant' %}"
      "{{ m.content.split('</think>')[-1] | trim | upper }}{% else %}{{ m.content | trim }}"
      "{% endif %}<|im_end|>{% endfor %}";
  const Example example =
      Build(Talk({{"user", " q "}, {"assistant", "<think>x</think>  yes "}}), source);
  EXPECT_EQ(TextOf(example), "<|im_start|>user:q<|im_end|><|im_start|>assistant:YES<|im_end|>");
  EXPECT_EQ(Trained(example), "[YES<|im_end|>]");
}

TEST_F(ExampleTest, EndTokenIsTrainedWhereverTheTemplateWritesIt) {
  const Row row = Talk({{"user", "q"}, {"assistant", "a"}, {"user", "r"}, {"assistant", "b"}});
  for (const std::string between : {"", " ", "\n", "\t", "\n\n", "\n### End\n"}) {
    EXPECT_EQ(Trained(Build(row, "{% for m in messages %}{{ m.content }}" + between +
                                     "{{ eos_token }}\n{% endfor %}")),
              "[a" + between + "</s>][b" + between + "</s>]");
  }
}

TEST_F(ExampleTest, EndTokenThatOnlyTheTemplateKnowsIsTrained) {
  const std::string source =
      "{% for m in messages %}<|im_start|>{{ m.content }}\n<|im_end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>{% endif %}";
  const Example example = Build(kTwoTurns, source);
  EXPECT_EQ(Trained(example), "[ho\n<|im_end|>][less\n<|im_end|>]");
  EXPECT_FALSE(example.lacks_end);
}

TEST_F(ExampleTest, TokenThatBeginsTheNextTurnIsNoEnd) {
  const std::string source = "{% for m in messages %}<|im_start|>{{ m.content }}\n{% endfor %}";
  const Example example = Build(kTwoTurns, source);
  EXPECT_EQ(Trained(example), "[ho][less\n</s>]");
  EXPECT_TRUE(example.lacks_end);
}

TEST_F(ExampleTest, EndTokenOfEarlierTurnsOnlyIsKnownAndEosEndsTheLast) {
  const std::string source =
      "{% for m in messages %}<|im_start|>{{ m.content }}"
      "{% if not loop.last %}<|im_end|>{% endif %}{% endfor %}";
  EXPECT_EQ(Trained(Build(kTwoTurns, source)), "[ho<|im_end|>][less</s>]");
}

TEST_F(ExampleTest, WithoutAnEndTokenEosIsAddedAndTrained) {
  const std::string source =
      "{% for m in messages %}{{ m.role }}: {{ m.content }}\n\n{% endfor %}"
      "{% if add_generation_prompt %}assistant: {% endif %}";
  const Example example = Build(kTwoTurns, source);
  EXPECT_EQ(TextOf(example), "user: hi\n\nassistant: ho\n\nuser: more\n\nassistant: less\n\n</s>");
  EXPECT_EQ(Trained(example), "[ho][less\n\n</s>]");
  EXPECT_TRUE(example.lacks_end);
  tokenizer_->eos = std::nullopt;
  EXPECT_TRUE(Build(kTwoTurns, source).lacks_end);
}

TEST_F(ExampleTest, NoticesSayWhatTheTemplateDoes) {
  const auto notices = [&](const Example& example) {
    return ChatNotices({example}, DataReport(), *tokenizer_);
  };
  const std::string bare = "{% for m in messages %}{{ m.content }}\n{% endfor %}";
  EXPECT_THAT(notices(Build(kTwoTurns, "chatml")), IsEmpty());
  EXPECT_THAT(notices(Build(kTwoTurns, bare)), ElementsAre(HasSubstr("'</s>' is added")));
  EXPECT_THAT(notices(Build(kTwoTurns)), ElementsAre(HasSubstr("data.chat_template")));
  data_.chat_template = "none";
  EXPECT_THAT(notices(Build(kTwoTurns)), IsEmpty());
  data_.chat_template = "auto";
  tokenizer_->eos = std::nullopt;
  EXPECT_THAT(notices(Build(kTwoTurns, bare)), ElementsAre(HasSubstr("no eos_token")));
}

TEST_F(ExampleTest, IdsBeyondTheEmbeddingAreRefused) {
  const ExampleBuilder builder(tokenizer_, *ChatTemplate::Load("", "chatml"), data_,
                               /*longest_text=*/INT64_MAX, /*embedding_rows=*/257);
  DataReport report;
  const std::string why = "token '<|im_end|>' has id 257, but the base's embedding has 257 rows";
  EXPECT_THAT(std::string(builder.BuildAll({kTwoTurns}, "x.jsonl", &report).status().message()),
              HasSubstr("x.jsonl:7: " + why));
  EXPECT_THAT(std::string(builder.Ask(kTwoTurns).status().message()), HasSubstr("line 7: " + why));
}

// The job turns this into an error (AdapterJobTest.JobSaysWhatTheChatTemplateDoes).
TEST_F(ExampleTest, ReportsTheRowsWhoseAnswersTheTemplateLeavesOut) {
  const std::string source =
      "{% for m in messages if m.role == 'user' %}{{ m.content }}<|im_end|>{% endfor %}";
  for (const bool completion_only : {true, false}) {
    data_.completion_only_loss = completion_only;
    DataReport report;
    const auto examples = Builder(source).BuildAll({kTwoTurns}, "x.jsonl", &report);
    ASSERT_TRUE(examples.ok()) << examples.status();
    EXPECT_TRUE(examples->empty());
    EXPECT_EQ(report.answers_lost, 1);
    EXPECT_EQ(report.dropped, 1);
    EXPECT_EQ(report.dropped_long, 0);
  }
}

TEST_F(ExampleTest, OnlyTheCompletionOfAPromptWithTurnsIsTrained) {
  Row row = kTwoTurns;
  row.first_target = 3;
  EXPECT_EQ(Trained(Build(row, "chatml")), "[less<|im_end|>]");
  EXPECT_EQ(Trained(Build(row)), "[less</s>]");
}

TEST_F(ExampleTest, WithoutATemplateTurnsAreLinesAndAnswersEndWithEos) {
  const Example example = Build(Talk({{"system", "s"}, {"user", "i\nx"}, {"assistant", "a"}}));
  EXPECT_EQ(TextOf(example), "s\ni\nx\na</s>");
  EXPECT_EQ(Trained(example), "[a</s>]");
  EXPECT_EQ(Trained(Build(kTwoTurns)), "[ho</s>][less</s>]");
}

TEST_F(ExampleTest, PromptAndCompletionAreOneTextWithoutATemplate) {
  Row row = Talk({{"user", "Once"}, {"assistant", " more</s>"}});
  row.one_text = true;
  row.first_target = 1;
  EXPECT_EQ(Trained(Build(row)), "[ more</s>]");
  EXPECT_EQ(TextOf(Build(row)), "Once more</s>");
  EXPECT_EQ(Build(row).ids.back(), 259);
  EXPECT_EQ(tokenizer_->Decode(Builder().Ask(row)->prompt, false), "Once");
  EXPECT_EQ(Trained(Build(row, "chatml")), "[ more</s><|im_end|>]") << "a turn stays text";
  EXPECT_EQ(Build(row, "chatml").TrainedTokens(), 10);
}

TEST_F(ExampleTest, SpecialTokensOfATextRowAreParsed) {
  Row row;
  row.text = "story <|im_start|>";
  const Example example = Build(row, "chatml");
  EXPECT_EQ(TextOf(example), "story <|im_start|></s>");
  EXPECT_EQ(Trained(example), "[tory <|im_start|></s>]") << "nothing comes before the first token";
  EXPECT_EQ(example.ids.size(), 8u);
}

TEST_F(ExampleTest, TextRowHasOneBosAndOneEos) {
  tokenizer_->prepends_bos = true;
  for (const std::string text : {"a", "<s>a", "a</s>", "<s>a</s>", "a</s>\n", "<s>a</s> \n"}) {
    Row row;
    row.text = text;
    const Example example = Build(row);
    EXPECT_EQ(std::count(example.ids.begin(), example.ids.end(), 258), 1) << text;
    EXPECT_EQ(std::count(example.ids.begin(), example.ids.end(), 259), 1) << text;
  }
}

TEST_F(ExampleTest, SpecialTokensAreParsedInEveryRowOfChatTemplateNone) {
  const Row row = Talk({{"user", "<|im_start|>q"}, {"assistant", "a</s>"}});
  EXPECT_EQ(Build(row).ids.size(), 13u + 1 + 5 + 1);
  data_.chat_template = "none";
  const Example example = Build(row);
  EXPECT_EQ(example.ids.size(), 5u);
  EXPECT_EQ(Trained(example), "[a</s>]");
}

TEST_F(ExampleTest, ExactlyOneBosWhereTheTokenizerWantsOne) {
  tokenizer_->prepends_bos = true;
  EXPECT_EQ(TextOf(Build(Talk({{"user", "q"}, {"assistant", "a"}}))), "<s>q\na</s>");
  const std::string source =
      "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}";
  EXPECT_EQ(TextOf(Build(Talk({{"user", "q"}, {"assistant", "a"}}), source)), "<s>q</s>a</s>");
  tokenizer_->prepends_bos = false;
  EXPECT_EQ(TextOf(Build(Talk({{"user", "q"}, {"assistant", "a"}}))), "q\na</s>");
}

TEST_F(ExampleTest, WithoutCompletionOnlyLossEverythingButBosIsTrained) {
  data_.completion_only_loss = false;
  tokenizer_->prepends_bos = true;
  EXPECT_EQ(Trained(Build(Talk({{"user", "q"}, {"assistant", "a"}}))), "[q\na</s>]");
}

TEST_F(ExampleTest, TruncationKeepsTheStartAndRowsWithNothingLeftAreDropped) {
  data_.max_length = 6;
  DataReport report;
  const auto examples = Builder().BuildAll(
      {Talk({{"user", "q"}, {"assistant", "a"}}), Talk({{"user", "four"}, {"assistant", "abc"}}),
       Talk({{"user", "a long question"}, {"assistant", "b"}})},
      "x.jsonl", &report);
  ASSERT_TRUE(examples.ok()) << examples.status();
  ASSERT_EQ(examples->size(), 2u);
  EXPECT_EQ(TextOf((*examples)[1]), "four\na");
  EXPECT_EQ(Trained((*examples)[1]), "[a]");
  EXPECT_EQ(report.rows, 3);
  EXPECT_EQ(report.truncated, 1);
  EXPECT_EQ(report.dropped, 1);
  EXPECT_EQ(report.tokens, 4 + 6);
  EXPECT_EQ(report.trained_tokens, 2 + 1);
}

TEST_F(ExampleTest, RowsThatAreTooLongAreDroppedOrRefusedAsAsked) {
  data_.max_length = 5;
  const std::vector<Row> rows = {Talk({{"user", "q"}, {"assistant", "a"}}),
                                 Talk({{"user", "q"}, {"assistant", "abcdef"}})};
  DataReport report;
  data_.over_length = "drop";
  EXPECT_EQ(Builder().BuildAll(rows, "x.jsonl", &report)->size(), 1u);
  EXPECT_EQ(report.dropped, 1);
  data_.over_length = "error";
  EXPECT_THAT(std::string(Builder().BuildAll(rows, "x.jsonl", &report).status().message()),
              HasSubstr("x.jsonl:7: the row has 9 tokens, more than data.max_length (5 tokens): "
                        "raise it"));
}

TEST_F(ExampleTest, LimitOfTheBaseIsNamedAsSuch) {
  data_.max_length = 1024;
  data_.over_length = "error";
  const ExampleBuilder builder(tokenizer_, nullptr, data_, /*longest_text=*/5);
  EXPECT_EQ(builder.limit(), 5);
  DataReport report;
  EXPECT_THAT(
      std::string(
          builder.BuildAll({Talk({{"user", "q"}, {"assistant", "abcdef"}})}, "x.jsonl", &report)
              .status()
              .message()),
      HasSubstr("the row has 9 tokens, more than what the base reads at once (5 tokens; "
                "data.max_length is 1024): stretch the context"));
}

TEST_F(ExampleTest, TurnThatTheRowDoesNotTrainIsNotTrained) {
  Row row = kTwoTurns;
  row.messages[1].trained = false;
  EXPECT_EQ(Trained(Build(row, "chatml")), "[less<|im_end|>]");
  EXPECT_EQ(Trained(Build(row)), "[less</s>]");
  data_.completion_only_loss = false;
  EXPECT_THAT(std::string(Builder("chatml").Build(row).status().message()),
              HasSubstr("data.completion_only_loss is false"));
}

TEST_F(ExampleTest, DatasetWithNothingLeftToTrainIsCounted) {
  data_.max_length = 2;
  DataReport report;
  const auto examples =
      Builder().BuildAll({Talk({{"user", "long"}, {"assistant", "a"}})}, "x.jsonl", &report);
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_TRUE(examples->empty());
  EXPECT_EQ(report.dropped, 1);
  EXPECT_EQ(report.dropped_long, 1);
}

TEST_F(ExampleTest, RefusalOfTheTemplateNamesFileAndLine) {
  DataReport report;
  const auto examples =
      Builder("{{ raise_exception('no system here') }}").BuildAll({kTwoTurns}, "x.jsonl", &report);
  EXPECT_EQ(std::string(examples.status().message()), "x.jsonl:7: no system here");
}

TEST_F(ExampleTest, QuestionIsTheExampleUpToTheLastAnswer) {
  for (const char* source : {"chatml", ""}) {
    for (const bool bos : {false, true}) {
      tokenizer_->prepends_bos = bos;
      const auto question = Builder(source).Ask(kTwoTurns);
      ASSERT_TRUE(question.ok()) << question.status();
      EXPECT_EQ(question->answer, "less");
      const Example example = Build(kTwoTurns, source);
      ASSERT_LT(question->prompt.size(), example.ids.size());
      EXPECT_TRUE(
          std::equal(question->prompt.begin(), question->prompt.end(), example.ids.begin()));
      EXPECT_EQ(example.ids[question->prompt.size()], 'l');
    }
  }
}

TEST_F(ExampleTest, LongQuestionIsCutOnTheLeftAndKeepsBos) {
  data_.max_length = 4;
  tokenizer_->prepends_bos = true;
  const auto question = Builder().Ask(Talk({{"user", "abcdef"}, {"assistant", "a"}}));
  EXPECT_EQ(tokenizer_->Decode(question->prompt, false), "<s>ef\n");
  Row text;
  text.text = "t";
  EXPECT_THAT(std::string(Builder().Ask(text).status().message()),
              HasSubstr("line 0: a text row asks nothing"));
}

}  // namespace
}  // namespace mozgach
