#include "trainer/chat/jinja/interpreter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trainer/chat/jinja/value/serialize.h"

namespace mozgach::jinja {
absl::StatusOr<Text> Interpreter::Run(const Body& body) {
  Text out;
  const absl::StatusOr<Flow> flow = Execute(body, &out);
  if (flow.ok()) return out;
  if (raised_) return flow.status();
  return Annotate(flow.status(), absl::StrCat("line ", line_));
}

absl::StatusOr<Interpreter::Flow> Interpreter::Execute(const Body& body, Text* out) {
  for (const Statement& statement : body) {
    ASSIGN_OR_RETURN(const Flow flow, ExecuteOne(statement, out));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

absl::StatusOr<Interpreter::Flow> Interpreter::ExecuteOne(const Statement& statement, Text* out) {
  RETURN_IF_ERROR(Enter());
  line_ = statement.line;
  auto flow = std::visit([&](const auto& node) { return Do(node, out); }, statement.node);
  --depth_;
  return flow;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const TextStatement& node, Text* out) {
  RETURN_IF_ERROR(budget_.Spend(node.text.size()));
  out->Append(node.text, kTemplateOrigin);
  return Flow::kNext;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const PrintStatement& node, Text* out) {
  ASSIGN_OR_RETURN(const Value value, Evaluate(*node.value));
  ASSIGN_OR_RETURN(const Text text, ToText(value, &budget_));
  RETURN_IF_ERROR(budget_.Spend(text.size()));
  out->Append(text);
  return Flow::kNext;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const IfStatement& node, Text* out) {
  for (const auto& [condition, body] : node.branches) {
    ASSIGN_OR_RETURN(const Value value, Evaluate(*condition));
    if (IsTrue(value)) return Execute(body, out);
  }
  return Execute(node.otherwise, out);
}

// Returns the items to loop over: those of the sequence for which the loop's own `if` is true.
absl::StatusOr<std::vector<Value>> Interpreter::LoopItems(const ForStatement& node,
                                                          const Value& sequence) {
  ASSIGN_OR_RETURN(const auto all, Items(sequence, &budget_));
  RETURN_IF_ERROR(budget_.Spend(all->items.size() * sizeof(Value)));
  if (node.condition == nullptr) return all->items;
  std::vector<Value> items;
  PushScope(scopes_.size() - 1);
  for (const Value& item : all->items) {
    RETURN_IF_ERROR(AssignTargets(node.targets, item));
    ASSIGN_OR_RETURN(const Value holds, Evaluate(*node.condition));
    if (IsTrue(holds)) items.push_back(item);
  }
  scopes_.pop_back();
  return items;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const ForStatement& node, Text* out) {
  ASSIGN_OR_RETURN(const Value sequence, Evaluate(*node.items));
  ASSIGN_OR_RETURN(std::vector<Value> items, LoopItems(node, sequence));
  if (items.empty()) return Execute(node.otherwise, out);
  ASSIGN_OR_RETURN(const Value list, MakeList(std::move(items), &budget_));
  auto loop = std::make_shared<Loop>();
  loop->items = std::get<std::shared_ptr<const List>>(list.data);
  for (loop->index = 0; loop->index < loop->items->items.size(); ++loop->index) {
    RETURN_IF_ERROR(budget_.Spend());
    PushScope(scopes_.size() - 1);
    RETURN_IF_ERROR(AssignTargets(node.targets, loop->items->items[loop->index]));
    scopes_.back().names["loop"] = Value{std::shared_ptr<const Loop>(loop)};
    ASSIGN_OR_RETURN(const Flow flow, Execute(node.body, out));
    scopes_.pop_back();
    if (flow != Flow::kBreak) continue;
    StopReading(sequence);
    break;
  }
  return Flow::kNext;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const SetStatement& node, Text* out) {
  ASSIGN_OR_RETURN(Value value, Evaluate(*node.value));
  if (node.targets.size() == 1) {
    RETURN_IF_ERROR(Assign(node.targets[0], std::move(value)));
    return Flow::kNext;
  }
  ASSIGN_OR_RETURN(const auto items, Items(value, &budget_));
  if (items->items.size() != node.targets.size()) {
    return absl::InvalidArgumentError(absl::StrCat("there are ", node.targets.size(), " names for ",
                                                   items->items.size(), " values"));
  }
  for (size_t i = 0; i < node.targets.size(); ++i) {
    RETURN_IF_ERROR(Assign(node.targets[i], items->items[i]));
  }
  return Flow::kNext;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const SetBlockStatement& node, Text* out) {
  Text text;
  PushScope(scopes_.size() - 1);
  ASSIGN_OR_RETURN(const Flow flow, Execute(node.body, &text));
  scopes_.pop_back();
  if (flow == Flow::kNext) RETURN_IF_ERROR(Assign(node.target, Value::OfText(std::move(text))));
  return flow;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const std::unique_ptr<const MacroStatement>& node,
                                                  Text* out) {
  const size_t scope = scopes_.size() - 1;
  RETURN_IF_ERROR(Assign({node->name, ""}, Value{Macro{node.get(), scope, scopes_[scope].number}}));
  return Flow::kNext;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const GenerationStatement& node, Text* out) {
  PushScope(scopes_.size() - 1);
  ASSIGN_OR_RETURN(const Flow flow, Execute(node.body, out));
  scopes_.pop_back();
  return flow;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const BreakStatement& node, Text* out) {
  return Flow::kBreak;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Do(const ContinueStatement& node, Text* out) {
  return Flow::kContinue;
}

absl::Status Interpreter::AssignTargets(const std::vector<std::string>& names, const Value& value) {
  if (names.size() == 1) return Assign({names[0], ""}, value);
  ASSIGN_OR_RETURN(const auto items, Items(value, &budget_));
  if (items->items.size() != names.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", names.size(), " names for ", items->items.size(), " values"));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    RETURN_IF_ERROR(Assign({names[i], ""}, items->items[i]));
  }
  return absl::OkStatus();
}

absl::Status Interpreter::Assign(const Target& target, Value value) {
  if (target.attribute.empty()) {
    scopes_.back().names[target.name] = std::move(value);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const Value object, Get(Name{target.name}));
  const auto* space = object.As<Namespace*>();
  if (space == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("'", target.name, ".", target.attribute,
                                                   "' cannot be set: it is not a namespace"));
  }
  (*space)->Set(target.attribute, std::move(value));
  return absl::OkStatus();
}

}  // namespace mozgach::jinja
