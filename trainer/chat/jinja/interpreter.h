// An Interpreter renders a template's tree with variables. It is used for one rendering, by one
// thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "common/status.h"
#include "trainer/chat/jinja/arguments.h"
#include "trainer/chat/jinja/syntax/ast.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/text.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

class Interpreter {
 public:
  // `budget` must outlive the interpreter.
  explicit Interpreter(Budget* budget) : budget_(*budget) { scopes_.emplace_back(); }

  void Define(const std::string& name, Value value) {
    scopes_.front().names[name] = std::move(value);
  }

  // INVALID_ARGUMENT: the argument of raise_exception, unchanged, or "line N: what" for other
  // errors. RESOURCE_EXHAUSTED: the budget is used up.
  absl::StatusOr<Text> Run(const Body& body);

 private:
  enum class Flow { kNext, kBreak, kContinue };

  // Names, and the scope to search next: a for loop sees the scope around it, a macro the scope
  // around its definition.
  struct Scope {
    std::map<std::string, Value> names;
    size_t parent = 0;
    int64_t number = 0;  // unique within a rendering
  };

  absl::StatusOr<Flow> Execute(const Body& body, Text* out);
  absl::StatusOr<Flow> ExecuteOne(const Statement& statement, Text* out);
  absl::StatusOr<Flow> Do(const TextStatement& node, Text* out);
  absl::StatusOr<Flow> Do(const PrintStatement& node, Text* out);
  absl::StatusOr<Flow> Do(const IfStatement& node, Text* out);
  absl::StatusOr<Flow> Do(const ForStatement& node, Text* out);
  absl::StatusOr<Flow> Do(const SetStatement& node, Text* out);
  absl::StatusOr<Flow> Do(const SetBlockStatement& node, Text* out);
  absl::StatusOr<Flow> Do(const std::unique_ptr<const MacroStatement>& node, Text* out);
  absl::StatusOr<Flow> Do(const GenerationStatement& node, Text* out);
  absl::StatusOr<Flow> Do(const BreakStatement& node, Text* out);
  absl::StatusOr<Flow> Do(const ContinueStatement& node, Text* out);

  absl::StatusOr<std::vector<Value>> LoopItems(const ForStatement& node, const Value& sequence);
  absl::Status AssignTargets(const std::vector<std::string>& names, const Value& value);
  absl::Status Assign(const Target& target, Value value);

  absl::StatusOr<Value> Evaluate(const Expression& expression);
  absl::StatusOr<Value> EvaluateOr(const ExpressionPtr& expression, Value otherwise);
  absl::StatusOr<Value> Get(const Literal& node);
  absl::StatusOr<Value> Get(const Name& node);
  absl::StatusOr<Value> Get(const ListDisplay& node);
  absl::StatusOr<Value> Get(const MapDisplay& node);
  absl::StatusOr<Value> Get(const Unary& node);
  absl::StatusOr<Value> Get(const Binary& node);
  absl::StatusOr<Value> Get(const Comparison& node);
  absl::StatusOr<Value> Get(const Conditional& node);
  absl::StatusOr<Value> Get(const Attribute& node);
  absl::StatusOr<Value> Get(const Subscript& node);
  absl::StatusOr<Value> Get(const Slice& node);
  absl::StatusOr<Value> Get(const Call& node);
  absl::StatusOr<Value> Get(const Filter& node);
  absl::StatusOr<Value> Get(const Test& node);

  absl::StatusOr<Arguments> EvaluateArguments(const ArgumentList& list);
  absl::StatusOr<Value> CallValue(const Value& callee, const Arguments& arguments);
  absl::StatusOr<Value> CallAttribute(const Value& object, const std::string& name,
                                      const Arguments& arguments);
  absl::StatusOr<Value> CallFunction(std::string_view name, const Arguments& arguments);
  absl::StatusOr<Value> MakeNamespace(const Arguments& arguments);
  absl::StatusOr<Value> CallMacro(const Macro& macro, const Arguments& arguments);
  absl::Status BindParameters(const MacroStatement& macro, const Arguments& arguments);

  absl::Status Enter();
  void PushScope(size_t parent) { scopes_.push_back({{}, parent, ++scope_count_}); }

  Budget& budget_;
  std::vector<Scope> scopes_;         // the first is the template's, the last is the current one
  std::deque<Namespace> namespaces_;  // values point to them
  int line_ = 1;
  int depth_ = 0;  // depth of statements, expressions and macro calls
  int64_t scope_count_ = 0;
  int macro_depth_ = 0;
  bool raised_ = false;  // by raise_exception
};

}  // namespace mozgach::jinja
