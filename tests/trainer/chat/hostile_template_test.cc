// Templates come from downloads: none may hang, crash, or take much memory.
#include <ctime>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "trainer/chat/chat_template.h"

namespace mozgach {
namespace {
using testing::AnyOf;
using testing::HasSubstr;

std::string Repeat(const std::string& text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) repeated += text;
  return repeated;
}

#ifdef __OPTIMIZE__
constexpr std::clock_t kSecondsMax = 30;
#else
constexpr std::clock_t kSecondsMax = 100;  // the `debug` preset is several times as slow
#endif

// The error of `source`, which must come soon.
std::string Refusal(const std::string& source) {
  const std::clock_t start = std::clock();
  const auto chat_template = ChatTemplate::FromSource(source);
  absl::Status status = chat_template.status();
  if (status.ok())
    status = (*chat_template)->Render({{"user", Repeat("ab ", 100'000)}}, false).status();
  EXPECT_LT((std::clock() - start) / CLOCKS_PER_SEC, kSecondsMax) << "seconds of this process";
  return std::string(status.message());
}

const auto kTooMuch = HasSubstr("too many steps or makes too much text");
const auto kTooDeep = HasSubstr("too deep");

TEST(HostileTemplateTest, EndlessWorkEnds) {
  const std::string loop = "{% for a in range(99999) %}";
  EXPECT_THAT(Refusal(loop + loop + loop + Repeat("{% endfor %}", 3)), kTooMuch);
  EXPECT_THAT(Refusal("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), kTooDeep);
  EXPECT_THAT(Refusal("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}"), kTooDeep);
  EXPECT_THAT(Refusal("{{ range(100001) | length }}"), HasSubstr("more than 100000"));
  EXPECT_THAT(Refusal(loop + "{% set n = namespace() %}{% set n = namespace() %}{% endfor %}"),
              HasSubstr("too many namespaces"));
}

TEST(HostileTemplateTest, GrowingTextEnds) {
  EXPECT_THAT(Refusal("{{ 'aaaaaaaaaa' * 999999999999 }}"), kTooMuch);
  EXPECT_THAT(Refusal("{{ [1] * 999999999999 }}"), kTooMuch);
  EXPECT_THAT(Refusal("{% set n = namespace(s='aaaaaaaa') %}{% for a in range(60) %}"
                      "{% set n.s = n.s + n.s %}{% endfor %}"),
              kTooMuch);
  EXPECT_THAT(Refusal("{% set c = messages[0].content %}{{ c.replace('a', c) }}"), kTooMuch);
  EXPECT_THAT(Refusal("{% set c = messages[0].content %}{{ c.split(' ') | join(c) }}"), kTooMuch);
  EXPECT_THAT(Refusal("{% for a in range(99999) %}{{ messages[0].content | upper }}{% endfor %}"),
              kTooMuch);
}

TEST(HostileTemplateTest, ValuesThatShareAndNestEnd) {
  const std::string doubling =
      "{% set n = namespace(x=[1]) %}{% for a in range(90) %}{% set n.x = [n.x, n.x] %}{% endfor "
      "%}";
  EXPECT_THAT(Refusal(doubling + "{{ n.x | tojson }}"), kTooMuch);
  EXPECT_THAT(Refusal(doubling + "{{ n.x }}"), kTooMuch);
  EXPECT_THAT(Refusal(doubling + "{{ n.x == n.x + [] }}"), AnyOf(kTooMuch, ""));
  EXPECT_THAT(Refusal("{% set n = namespace(x=[1]) %}{% for a in range(99999) %}"
                      "{% set n.x = [n.x] %}{% endfor %}"),
              HasSubstr("nested more than 100 deep"));
  EXPECT_THAT(Refusal("{% set n = namespace() %}{% set n.n = n %}{{ n.n.n.n | tojson }}"),
              HasSubstr("writing namespace as text"));
}

TEST(HostileTemplateTest, DeepSourceIsRefused) {
  EXPECT_THAT(Refusal("{{ " + Repeat("(", 100'000) + "1" + Repeat(")", 100'000) + " }}"), kTooDeep);
  EXPECT_THAT(Refusal("{{ " + Repeat("not ", 100'000) + "1 }}"), kTooDeep);
  EXPECT_THAT(Refusal("{{ " + Repeat("-", 100'000) + "1 }}"), kTooDeep);
  EXPECT_THAT(Refusal("{{ 1" + Repeat(" + 1", 100'000) + " }}"), kTooDeep);
  EXPECT_THAT(Refusal("{{ a" + Repeat(".a", 100'000) + " }}"), kTooDeep);
  EXPECT_THAT(Refusal("{{ a" + Repeat("|trim", 100'000) + " }}"), kTooDeep);
  EXPECT_THAT(Refusal("{{ " + Repeat("1 if 1 else ", 50'000) + "1 }}"), kTooDeep);
  EXPECT_THAT(Refusal(Repeat("{% if 1 %}", 50'000)), kTooDeep);
  EXPECT_THAT(Refusal(std::string(2 << 20, 'a')), HasSubstr("longer than 1 MiB"));
}

TEST(HostileTemplateTest, ManyCutOffTagsAreReadInTime) {
  EXPECT_THAT(Refusal("{% raw %}" + Repeat("{% ", 300'000)), HasSubstr("endraw"));
  EXPECT_THAT(Refusal(Repeat("{# ", 300'000)), HasSubstr("no end"));
  EXPECT_THAT(Refusal("{{ '" + Repeat("\\", 99'999) + "' }}"), HasSubstr("no end"));
}

TEST(HostileTemplateTest, NumbersAtTheirEndsAreErrorsOrNumbers) {
  for (const char* source :
       {"{{ 9223372036854775807 + 1 }}", "{{ 9223372036854775807 * 9 }}", "{{ 2 ** 99999999999 }}",
        "{{ 99999999999999999999 }}", "{{ -9223372036854775807 - 9 }}"}) {
    EXPECT_THAT(Refusal(source), HasSubstr("beyond 64 bits")) << source;
  }
  for (const char* source :
       {"{{ (-9223372036854775807 - 1) // -1 }}", "{{ (-9223372036854775807 - 1) | abs }}",
        "{{ -(-9223372036854775807 - 1) }}", "{{ 1e400 | int }}"}) {
    EXPECT_THAT(Refusal(source), HasSubstr("beyond 64 bits")) << source;
  }
  EXPECT_EQ(Refusal("{{ (-9223372036854775807 - 1) % -1 }}{{ 'abc'[9223372036854775807:] }}"
                    "{{ 'abc'[::-9223372036854775807] }}{{ [1][-9223372036854775807 - 1] }}"
                    "{{ 'nan' | float | int }}{{ (-1) ** 99999999999 }}"),
            "");
}

TEST(HostileTemplateTest, LongTextsAreMappedAndSplitInTime) {
  const std::string sigmas = "{% set s = ('Σ' ~ \"'\" * 50) * 9000 %}";
  EXPECT_EQ(Refusal(sigmas + "{{ s | lower | length }}{{ s | title | length }}"), "");
  EXPECT_EQ(Refusal("{{ ('\\x85' * 90000).splitlines() | length }}"), "");
  EXPECT_EQ(Refusal("{{ (' ' * 900000).rsplit() | length }}"), "");
  EXPECT_THAT(Refusal("{% set n = namespace(s='ΐ') %}{% for a in range(60) %}"
                      "{% set n.s = (n.s + n.s) | upper %}{% endfor %}"),
              kTooMuch);
}

TEST(HostileTemplateTest, DeepVariablesAreRefused) {
  nlohmann::ordered_json deep = 1;
  for (int i = 0; i < 5'000; ++i) deep = nlohmann::ordered_json::array({std::move(deep)});
  const auto chat_template = *ChatTemplate::FromSource("{{ x }}");
  nlohmann::ordered_json variables;
  variables["x"] = std::move(deep);
  EXPECT_THAT(std::string(chat_template->RenderJson(variables).status().message()),
              HasSubstr("nested more than 100 deep"));
  EXPECT_FALSE(chat_template->RenderJson(nlohmann::ordered_json::array()).ok());
}

TEST(HostileTemplateTest, TemplateThatIsNotUtf8IsRefused) {
  EXPECT_THAT(Refusal("a\xff"), HasSubstr("not UTF-8"));
}

}  // namespace
}  // namespace mozgach
