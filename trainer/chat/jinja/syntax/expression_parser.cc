#include "trainer/chat/jinja/syntax/expression_parser.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include "trainer/chat/jinja/syntax/expression_depth.h"

namespace mozgach::jinja {
namespace {

class Nesting {
 public:
  explicit Nesting(int* depth) : depth_(*depth) { ++depth_; }
  ~Nesting() { --depth_; }

 private:
  int& depth_;
};

constexpr int kMaxBrackets = 60;

}  // namespace

absl::Status ExpressionParser::Enter() {
  if (depth_ < kMaxBrackets) return absl::OkStatus();
  return tokens_.Error("the expression is nested too deep");
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseExpression() {
  RETURN_IF_ERROR(Enter());
  const Nesting nesting(&depth_);
  const int line = tokens_.line();
  ASSIGN_OR_RETURN(ExpressionPtr value, ParseOr());
  while (tokens_.TakeName("if")) {
    Conditional node{std::move(value), nullptr, nullptr};
    ASSIGN_OR_RETURN(node.condition, ParseOr());
    if (tokens_.TakeName("else")) {
      ASSIGN_OR_RETURN(node.otherwise, ParseExpression());
    }
    ASSIGN_OR_RETURN(value, MakeExpression(tokens_, line, std::move(node)));
  }
  return value;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseTuple() {
  const int line = tokens_.line();
  ASSIGN_OR_RETURN(ExpressionPtr first, ParseExpression());
  if (!tokens_.Peek().IsOperator(",")) return first;
  ListDisplay tuple{{}, /*tuple=*/true};
  tuple.items.push_back(std::move(first));
  while (tokens_.TakeOperator(",")) {
    const TokenKind kind = tokens_.Peek().kind;
    if (kind == TokenKind::kBlockEnd || kind == TokenKind::kPrintEnd) break;
    ASSIGN_OR_RETURN(ExpressionPtr item, ParseExpression());
    tuple.items.push_back(std::move(item));
  }
  return MakeExpression(tokens_, line, std::move(tuple));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseChain(
    Operand operand, std::initializer_list<const char*> operators) {
  ASSIGN_OR_RETURN(ExpressionPtr left, (this->*operand)());
  for (;;) {
    const Token& token = tokens_.Peek();
    const bool found = std::any_of(operators.begin(), operators.end(), [&](const char* op) {
      return token.IsOperator(op) || (token.kind == TokenKind::kName && token.text == op);
    });
    if (!found) return left;
    const Token op = tokens_.Next();
    ASSIGN_OR_RETURN(ExpressionPtr right, (this->*operand)());
    ASSIGN_OR_RETURN(
        left, MakeExpression(tokens_, op.line, Binary{op.text, std::move(left), std::move(right)}));
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseOr() {
  return ParseChain(&ExpressionParser::ParseAnd, {"or"});
}
absl::StatusOr<ExpressionPtr> ExpressionParser::ParseAnd() {
  return ParseChain(&ExpressionParser::ParseNot, {"and"});
}
absl::StatusOr<ExpressionPtr> ExpressionParser::ParseSum() {
  return ParseChain(&ExpressionParser::ParseConcatenation, {"+", "-"});
}
absl::StatusOr<ExpressionPtr> ExpressionParser::ParseConcatenation() {
  return ParseChain(&ExpressionParser::ParseProduct, {"~"});
}
absl::StatusOr<ExpressionPtr> ExpressionParser::ParseProduct() {
  return ParseChain(&ExpressionParser::ParsePower, {"*", "/", "//", "%"});
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseNot() {
  const int line = tokens_.line();
  if (!tokens_.TakeName("not")) return ParseComparison();
  RETURN_IF_ERROR(Enter());
  const Nesting nesting(&depth_);
  ASSIGN_OR_RETURN(ExpressionPtr operand, ParseNot());
  return MakeExpression(tokens_, line, Unary{"not", std::move(operand)});
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseComparison() {
  const int line = tokens_.line();
  Comparison node;
  ASSIGN_OR_RETURN(node.first, ParseSum());
  for (;;) {
    std::string op;
    for (const char* known : {"==", "!=", "<", "<=", ">", ">="}) {
      if (tokens_.Peek().IsOperator(known)) op = known;
    }
    if (tokens_.Peek().IsName("in")) op = "in";
    if (tokens_.Peek().IsName("not") && tokens_.PeekNext().IsName("in")) op = "not in";
    if (op.empty()) break;
    if (op == "not in") tokens_.Next();
    tokens_.Next();
    ASSIGN_OR_RETURN(ExpressionPtr operand, ParseSum());
    node.rest.emplace_back(std::move(op), std::move(operand));
  }
  if (node.rest.empty()) return std::move(node.first);
  return MakeExpression(tokens_, line, std::move(node));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParsePower() {
  const int line = tokens_.line();
  ASSIGN_OR_RETURN(ExpressionPtr left, ParseUnary(true));
  while (tokens_.TakeOperator("**")) {
    ASSIGN_OR_RETURN(ExpressionPtr right, ParseUnary(true));
    ASSIGN_OR_RETURN(
        left, MakeExpression(tokens_, line, Binary{"**", std::move(left), std::move(right)}));
  }
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseUnary(bool with_filters) {
  RETURN_IF_ERROR(Enter());
  const Nesting nesting(&depth_);
  ExpressionPtr value;
  if (tokens_.Peek().IsOperator("-") || tokens_.Peek().IsOperator("+")) {
    const Token op = tokens_.Next();
    ASSIGN_OR_RETURN(ExpressionPtr operand, ParseUnary(false));
    ASSIGN_OR_RETURN(value, MakeExpression(tokens_, op.line, Unary{op.text, std::move(operand)}));
  } else {
    ASSIGN_OR_RETURN(value, ParsePrimary());
  }
  ASSIGN_OR_RETURN(value, ParsePostfix(std::move(value)));
  if (!with_filters) return value;
  return ParseFilters(std::move(value));
}

}  // namespace mozgach::jinja
