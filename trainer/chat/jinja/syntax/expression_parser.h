// The expressions of a template: what stands in {{ … }} and behind if, for and set.
#pragma once

#include <initializer_list>

#include "common/status.h"
#include "trainer/chat/jinja/syntax/ast.h"
#include "trainer/chat/jinja/syntax/token_stream.h"

namespace mozgach::jinja {

// Precedence, loosest first: if-else, or, and, not, comparisons, + and -, ~, * / // %, **, unary
// minus, filters and tests, attributes and calls.
class ExpressionParser {
 public:
  // `tokens` outlives the parser and is moved forward by it.
  explicit ExpressionParser(TokenStream* tokens) : tokens_(*tokens) {}

  absl::StatusOr<ExpressionPtr> ParseExpression();
  // Without a trailing `if … else`: what a for goes over.
  absl::StatusOr<ExpressionPtr> ParseOr();
  // One expression, or a tuple without brackets.
  absl::StatusOr<ExpressionPtr> ParseTuple();

 private:
  absl::StatusOr<ExpressionPtr> ParseAnd();
  absl::StatusOr<ExpressionPtr> ParseNot();
  absl::StatusOr<ExpressionPtr> ParseComparison();
  absl::StatusOr<ExpressionPtr> ParseSum();
  absl::StatusOr<ExpressionPtr> ParseConcatenation();
  absl::StatusOr<ExpressionPtr> ParseProduct();
  absl::StatusOr<ExpressionPtr> ParsePower();
  absl::StatusOr<ExpressionPtr> ParseUnary(bool with_filters);
  // The operands of operators (operand_parser.cc).
  absl::StatusOr<ExpressionPtr> ParsePrimary();
  absl::StatusOr<ExpressionPtr> ParsePrimaryOf(const Token& token);
  absl::StatusOr<ExpressionPtr> ParseParenthesis(int line);
  absl::StatusOr<ExpressionPtr> ParseList(int line);
  absl::StatusOr<ExpressionPtr> ParseMap(int line);
  absl::StatusOr<ExpressionPtr> ParsePostfix(ExpressionPtr object);
  absl::StatusOr<ExpressionPtr> ParseSubscript(ExpressionPtr object);
  absl::StatusOr<ExpressionPtr> ParseFilters(ExpressionPtr input);
  absl::StatusOr<ExpressionPtr> ParseTest(ExpressionPtr input);
  absl::StatusOr<ArgumentList> ParseArguments();

  // Left-associative operators of one precedence.
  using Operand = absl::StatusOr<ExpressionPtr> (ExpressionParser::*)();
  absl::StatusOr<ExpressionPtr> ParseChain(Operand operand,
                                           std::initializer_list<const char*> operators);

  absl::Status Enter();

  TokenStream& tokens_;
  int depth_ = 0;  // depth of calls into ParseExpression, ParseNot, ParseUnary and ParsePrimary
};

}  // namespace mozgach::jinja
