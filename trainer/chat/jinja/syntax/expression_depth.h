// Creates expressions, and limits the depth of their trees to kMaxTreeDepth.
#pragma once

#include <utility>
#include <variant>

#include "common/status.h"
#include "trainer/chat/jinja/syntax/ast.h"
#include "trainer/chat/jinja/syntax/token_stream.h"

namespace mozgach::jinja {

// Returns the depth of the deepest child of an expression: its own depth minus 1.
int DepthBelow(const Expression& expression);

// INVALID_ARGUMENT, with the position of `tokens`, if the tree would be too deep.
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
