// The syntax tree of a template: expressions and statements, made by the parser and immutable
// afterwards. It is at most kMaxTreeDepth deep, so that walking and freeing it cannot overflow the
// stack.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

constexpr int kMaxTreeDepth = 200;

struct Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;

struct Literal {
  Value value;
};
struct Name {
  std::string name;
};
struct ListDisplay {
  std::vector<ExpressionPtr> items;
  bool tuple = false;
};
struct MapDisplay {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};
struct Unary {
  std::string op;  // "-", "+", "not"
  ExpressionPtr operand;
};
struct Binary {
  std::string op;  // "+", "-", "*", "/", "//", "%", "**", "~", "and", "or"
  ExpressionPtr left, right;
};
struct Comparison {  // a < b < c
  ExpressionPtr first;
  std::vector<std::pair<std::string, ExpressionPtr>> rest;  // "==", …, "in", "not in"
};
struct Conditional {                         // then if condition else otherwise
  ExpressionPtr then, condition, otherwise;  // `otherwise` may be null
};
struct Attribute {
  ExpressionPtr object;
  std::string name;
};
struct Subscript {
  ExpressionPtr object, index;
};
struct Slice {  // each bound may be null
  ExpressionPtr object, begin, end, step;
};
struct ArgumentList {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
};
struct Call {
  ExpressionPtr callee;
  ArgumentList arguments;
};
struct Filter {
  ExpressionPtr input;
  std::string name;
  ArgumentList arguments;
};
struct Test {
  ExpressionPtr input;
  std::string name;
  ArgumentList arguments;
  bool negated = false;
};

struct Expression {
  int line = 1;
  int depth = 1;  // depth of the tree below and including this node
  std::variant<Literal, Name, ListDisplay, MapDisplay, Unary, Binary, Comparison, Conditional,
               Attribute, Subscript, Slice, Call, Filter, Test>
      node;
};

struct Statement;
using Body = std::vector<Statement>;

struct TextStatement {
  std::string text;
};
struct PrintStatement {
  ExpressionPtr value;
};
struct IfStatement {
  std::vector<std::pair<ExpressionPtr, Body>> branches;
  Body otherwise;
};
struct ForStatement {
  std::vector<std::string> targets;
  ExpressionPtr items;
  ExpressionPtr condition;  // may be null
  Body body, otherwise;
};
// The target of `set`: a name, or an attribute of a namespace.
struct Target {
  std::string name;
  std::string attribute;  // empty: assigns to the name itself
};
struct SetStatement {
  std::vector<Target> targets;
  ExpressionPtr value;
};
struct SetBlockStatement {
  Target target;
  Body body;
};
struct MacroStatement {
  std::string name;
  std::vector<std::pair<std::string, ExpressionPtr>> parameters;  // with default values, or null
  Body body;
};
// {% generation %}: marks the assistant's text for transformers' masks; renders as its body.
struct GenerationStatement {
  Body body;
};
struct BreakStatement {};
struct ContinueStatement {};

struct Statement {
  int line = 1;
  std::variant<TextStatement, PrintStatement, IfStatement, ForStatement, SetStatement,
               SetBlockStatement, std::unique_ptr<const MacroStatement>, GenerationStatement,
               BreakStatement, ContinueStatement>
      node;
};

}  // namespace mozgach::jinja
