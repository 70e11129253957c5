// Expressions are made here, and here is seen to that no tree is deeper than kMaxTreeDepth.
#pragma once

#include <utility>
#include <variant>

#include "common/status.h"
#include "trainer/chat/jinja/syntax/ast.h"
#include "trainer/chat/jinja/syntax/token_stream.h"

namespace mozgach::jinja {

// The depth of the deepest child of an expression; 1 less than its own.
int DepthBelow(const Expression& expression);

// INVALID_ARGUMENT at the place of `tokens` when the tree would be too deep.
template <typename Node>
absl::StatusOr<ExpressionPtr> MakeExpression(const TokenStream& tokens, int line, Node node) {
  Expression expression{line, 1, std::move(node)};
  expression.depth = DepthBelow(expression) + 1;
  if (expression.depth > kMaxTreeDepth) {
    return tokens.Error("the expression is too long or too deep");
  }
  return std::make_unique<const Expression>(std::move(expression));
}

}  // namespace mozgach::jinja
