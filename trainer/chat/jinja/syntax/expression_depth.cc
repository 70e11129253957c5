#include "trainer/chat/jinja/syntax/expression_depth.h"

#include <algorithm>

namespace mozgach::jinja {
namespace {

struct Deepest {
  int depth = 0;

  void Add(const ExpressionPtr& child) {
    if (child != nullptr) depth = std::max(depth, child->depth);
  }
  void Add(const ArgumentList& arguments) {
    for (const auto& argument : arguments.positional) Add(argument);
    for (const auto& [name, argument] : arguments.named) Add(argument);
  }
  void operator()(const Literal&) {}
  void operator()(const Name&) {}
  void operator()(const ListDisplay& node) {
    for (const auto& item : node.items) Add(item);
  }
  void operator()(const MapDisplay& node) {
    for (const auto& [key, value] : node.entries) Add(key), Add(value);
  }
  void operator()(const Unary& node) { Add(node.operand); }
  void operator()(const Binary& node) { Add(node.left), Add(node.right); }
  void operator()(const Comparison& node) {
    Add(node.first);
    for (const auto& [op, operand] : node.rest) Add(operand);
  }
  void operator()(const Conditional& node) {
    Add(node.then), Add(node.condition), Add(node.otherwise);
  }
  void operator()(const Attribute& node) { Add(node.object); }
  void operator()(const Subscript& node) { Add(node.object), Add(node.index); }
  void operator()(const Slice& node) {
    Add(node.object), Add(node.begin), Add(node.end), Add(node.step);
  }
  void operator()(const Call& node) { Add(node.callee), Add(node.arguments); }
  void operator()(const Filter& node) { Add(node.input), Add(node.arguments); }
  void operator()(const Test& node) { Add(node.input), Add(node.arguments); }
};

}  // namespace

int DepthBelow(const Expression& expression) {
  Deepest deepest;
  std::visit([&](const auto& node) { deepest(node); }, expression.node);
  return deepest.depth;
}

}  // namespace mozgach::jinja
