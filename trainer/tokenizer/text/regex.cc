#include "trainer/tokenizer/text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "absl/strings/str_cat.h"
#include "trainer/tokenizer/text/oniguruma_pattern.h"
#include "trainer/tokenizer/text/unicode.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

constexpr size_t kJitStackBytes = 8 << 20;
constexpr uint32_t kStepsMax = 100'000'000;

std::string ErrorText(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Regex::Search::State {
  pcre2_match_data* data = nullptr;
  pcre2_match_context* context = nullptr;
  pcre2_jit_stack* stack = nullptr;
};

void Regex::FreeCode::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

absl::StatusOr<Regex> Regex::Compile(std::string_view pattern) {
  ASSIGN_OR_RETURN(const std::string rewritten, PcreFromOniguruma(pattern));
  int error = 0;
  PCRE2_SIZE offset = 0;
  Regex regex;
  regex.pattern_ = pattern;
  regex.code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(rewritten.data()), rewritten.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &error, &offset,
                                  nullptr));
  if (regex.code_ == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("the pattern ", std::string(pattern),
                                                   " cannot be compiled: ", ErrorText(error)));
  }
  // Without a JIT (a hardened kernel, another processor) pcre2_match interprets the pattern.
  pcre2_jit_compile(regex.code_.get(), PCRE2_JIT_COMPLETE);
  return regex;
}

Regex::Search::Search(const Regex& regex, std::string_view text)
    : regex_(regex), text_(WithStandIns(text, &storage_)), state_(std::make_unique<State>()) {
  state_->data = pcre2_match_data_create_from_pattern(regex_.code_.get(), nullptr);
  state_->context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(state_->context, kStepsMax);
}

Regex::Search::~Search() {
  pcre2_match_data_free(state_->data);
  pcre2_match_context_free(state_->context);
  pcre2_jit_stack_free(state_->stack);
}

// The first try runs on the machine's stack (32 KiB); only a pattern that needs more pays for it.
int Regex::Search::MatchAt(Span part, size_t at) const {
  const auto match = [&] {
    return pcre2_match(regex_.code_.get(), reinterpret_cast<PCRE2_SPTR>(text_.data() + part.begin),
                       part.end - part.begin, at - part.begin, PCRE2_NO_UTF_CHECK, state_->data,
                       state_->context);
  };
  int result = match();
  if (result == PCRE2_ERROR_JIT_STACKLIMIT && state_->stack == nullptr) {
    state_->stack = pcre2_jit_stack_create(32 << 10, kJitStackBytes, nullptr);
    pcre2_jit_stack_assign(state_->context, nullptr, state_->stack);
    result = match();
  }
  return result;
}

absl::Status Regex::Search::Run(Span part, std::vector<Span>* matches) const {
  size_t last_end = part.begin;
  for (size_t at = part.begin; at <= part.end;) {
    const int result = MatchAt(part, at);
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the pattern ", regex_.pattern_, " gives up on this text: ", ErrorText(result)));
    }
    const PCRE2_SIZE* found = pcre2_get_ovector_pointer(state_->data);
    const Span span = {part.begin + found[0], part.begin + found[1]};
    if (span.begin < span.end) {
      matches->push_back(span);
      at = last_end = span.end;
      continue;
    }
    if (span.begin != last_end || matches->empty()) matches->push_back(span);
    at = span.end < part.end ? span.end + Utf8Length(text_[span.end]) : part.end + 1;
  }
  return absl::OkStatus();
}

}  // namespace mozgach
