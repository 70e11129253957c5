#include <utility>

#include "absl/strings/str_cat.h"
#include "trainer/chat/jinja/access.h"
#include "trainer/chat/jinja/filters.h"
#include "trainer/chat/jinja/interpreter.h"
#include "trainer/chat/jinja/operators.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

// Macros can call themselves; a tree of kMaxTreeDepth must fit.
constexpr int kMaxDepth = 500;

constexpr std::string_view kFunctions[] = {"range", "namespace", "dict", "raise_exception",
                                           "strftime_now"};
// Jinja2's own names that this interpreter does not have.
constexpr std::string_view kUnsupportedNames[] = {"lipsum", "cycler", "joiner", "self"};

}  // namespace

absl::Status Interpreter::Enter() {
  RETURN_IF_ERROR(budget_.Spend());
  if (depth_ >= kMaxDepth) return absl::InvalidArgumentError("the template is nested too deep");
  ++depth_;
  return absl::OkStatus();
}

absl::StatusOr<Value> Interpreter::Evaluate(const Expression& expression) {
  RETURN_IF_ERROR(Enter());
  line_ = expression.line;
  auto value = std::visit([&](const auto& node) { return Get(node); }, expression.node);
  --depth_;
  return value;
}

absl::StatusOr<Value> Interpreter::EvaluateOr(const ExpressionPtr& expression, Value otherwise) {
  if (expression == nullptr) return otherwise;
  return Evaluate(*expression);
}

absl::StatusOr<Value> Interpreter::Get(const Literal& node) { return node.value; }

absl::StatusOr<Value> Interpreter::Get(const Name& node) {
  for (size_t scope = scopes_.size() - 1;; scope = scopes_[scope].parent) {
    const auto found = scopes_[scope].names.find(node.name);
    if (found != scopes_[scope].names.end()) return found->second;
    if (scope == 0) break;
  }
  for (const std::string_view function : kFunctions) {
    if (node.name == function) return Value{Function{function}};
  }
  bool unsupported = macro_depth_ > 0 && (node.name == "varargs" || node.name == "kwargs");
  for (const std::string_view name : kUnsupportedNames) unsupported |= node.name == name;
  if (unsupported) return Unsupported(absl::StrCat("the variable '", node.name, "'"));
  return Value::Missing(absl::StrCat("'", node.name, "' is undefined"));
}

absl::StatusOr<Value> Interpreter::Get(const ListDisplay& node) {
  std::vector<Value> items;
  for (const ExpressionPtr& item : node.items) {
    ASSIGN_OR_RETURN(Value value, Evaluate(*item));
    items.push_back(std::move(value));
  }
  return MakeList(std::move(items), &budget_, node.tuple ? ListKind::kTuple : ListKind::kList);
}

absl::StatusOr<Value> Interpreter::Get(const MapDisplay& node) {
  std::vector<Entry> entries;
  for (const auto& [key_node, value_node] : node.entries) {
    ASSIGN_OR_RETURN(const Value key, Evaluate(*key_node));
    ASSIGN_OR_RETURN(Value value, Evaluate(*value_node));
    if (key.text() == nullptr) {
      return Unsupported(absl::StrCat("a mapping's key that is ", KindName(key)));
    }
    entries.emplace_back(key.text()->bytes(), std::move(value));
  }
  return MakeMap(std::move(entries), &budget_);
}

absl::StatusOr<Value> Interpreter::Get(const Unary& node) {
  ASSIGN_OR_RETURN(const Value operand, Evaluate(*node.operand));
  if (node.op == "not") return Value{!IsTrue(operand)};
  return Sign(node.op, operand);
}

absl::StatusOr<Value> Interpreter::Get(const Binary& node) {
  ASSIGN_OR_RETURN(Value left, Evaluate(*node.left));
  if (node.op == "and" && !IsTrue(left)) return left;
  if (node.op == "or" && IsTrue(left)) return left;
  ASSIGN_OR_RETURN(Value right, Evaluate(*node.right));
  if (node.op == "and" || node.op == "or") return right;
  return Operate(node.op, left, right, &budget_);
}

absl::StatusOr<Value> Interpreter::Get(const Comparison& node) {
  ASSIGN_OR_RETURN(Value left, Evaluate(*node.first));
  for (const auto& [op, operand] : node.rest) {
    ASSIGN_OR_RETURN(Value right, Evaluate(*operand));
    ASSIGN_OR_RETURN(const bool holds, Compare(op, left, right, &budget_));
    if (!holds) return Value{false};
    left = std::move(right);
  }
  return Value{true};
}

absl::StatusOr<Value> Interpreter::Get(const Conditional& node) {
  ASSIGN_OR_RETURN(const Value condition, Evaluate(*node.condition));
  if (IsTrue(condition)) return Evaluate(*node.then);
  return EvaluateOr(node.otherwise, Value::Missing("the 'if' does not hold and has no 'else'"));
}

absl::StatusOr<Value> Interpreter::Get(const Attribute& node) {
  ASSIGN_OR_RETURN(const Value object, Evaluate(*node.object));
  return GetAttribute(object, node.name, &budget_);
}

absl::StatusOr<Value> Interpreter::Get(const Subscript& node) {
  ASSIGN_OR_RETURN(const Value object, Evaluate(*node.object));
  ASSIGN_OR_RETURN(const Value index, Evaluate(*node.index));
  return GetItem(object, index, &budget_);
}

absl::StatusOr<Value> Interpreter::Get(const Slice& node) {
  ASSIGN_OR_RETURN(const Value object, Evaluate(*node.object));
  ASSIGN_OR_RETURN(const Value begin, EvaluateOr(node.begin, Value{None{}}));
  ASSIGN_OR_RETURN(const Value end, EvaluateOr(node.end, Value{None{}}));
  ASSIGN_OR_RETURN(const Value step, EvaluateOr(node.step, Value{None{}}));
  return GetSlice(object, begin, end, step, &budget_);
}

absl::StatusOr<Value> Interpreter::Get(const Filter& node) {
  ASSIGN_OR_RETURN(const Value input, Evaluate(*node.input));
  ASSIGN_OR_RETURN(const Arguments arguments, EvaluateArguments(node.arguments));
  return ApplyFilter(node.name, input, arguments, &budget_);
}

absl::StatusOr<Value> Interpreter::Get(const Test& node) {
  ASSIGN_OR_RETURN(const Value input, Evaluate(*node.input));
  ASSIGN_OR_RETURN(const Arguments arguments, EvaluateArguments(node.arguments));
  ASSIGN_OR_RETURN(const bool holds, ApplyTest(node.name, input, arguments, &budget_));
  return Value{holds != node.negated};
}

}  // namespace mozgach::jinja
