// Parses the expressions of a template: in {{ … }} and after if, for and set.
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
  // `tokens` must outlive the parser, which advances it.
  explicit ExpressionParser(TokenStream* tokens) : tokens_(*tokens) {}

  absl::StatusOr<ExpressionPtr> ParseExpression();
  // Parses an expression without a trailing `if … else`: the sequence of a for loop.
  absl::StatusOr<ExpressionPtr> ParseOr();
  // Parses one expression, or a tuple without parentheses.
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

  // Parses left-associative operators of one precedence.
  using Operand = absl::StatusOr<ExpressionPtr> (ExpressionParser::*)();
  absl::StatusOr<ExpressionPtr> ParseChain(Operand operand,
                                           std::initializer_list<const char*> operators);

  absl::Status Enter();

  TokenStream& tokens_;
  int depth_ = 0;  // depth of calls into ParseExpression, ParseNot, ParseUnary and ParsePrimary
};

}  // namespace mozgach::jinja
