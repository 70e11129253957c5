#include "trainer/chat/jinja/operators.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trainer/chat/jinja/value/numbers.h"
#include "trainer/chat/jinja/value/serialize.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

absl::Status Mismatch(const std::string& op, const Value& left, const Value& right) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", op, "' does not work between ", KindName(left), " and ", KindName(right)));
}

absl::Status TooLarge() { return Unsupported("an integer beyond 64 bits"); }

absl::Status DivisionByZero() { return absl::InvalidArgumentError("division by zero"); }

absl::StatusOr<Value> IntegerPower(int64_t base, int64_t exponent) {
  if (exponent < 0 && base == 0) return DivisionByZero();
  if (exponent < 0) {
    return Value{std::pow(static_cast<double>(base), static_cast<double>(exponent))};
  }
  if (exponent > 64 && (base > 1 || base < -1)) return TooLarge();
  if (exponent > 64) exponent = 64 + exponent % 2;
  int64_t power = 1;
  for (int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(power, base, &power)) return TooLarge();
  }
  return Value{power};
}

// Exact for what a double can hold.
absl::StatusOr<Value> Quotient(int64_t a, int64_t b) {
  constexpr int64_t kExact = int64_t{1} << 53;
  if (a > kExact || a < -kExact || b > kExact || b < -kExact) {
    return Unsupported("the quotient of integers above 2**53");
  }
  return Value{static_cast<double>(a) / static_cast<double>(b)};
}

absl::StatusOr<Value> Power(double a, double b) {
  if (a == 0 && b < 0) return DivisionByZero();
  if (a < 0 && std::isfinite(b) && std::floor(b) != b) return Unsupported("a complex number");
  const double power = std::pow(a, b);
  if (std::isinf(power) && std::isfinite(a) && std::isfinite(b)) {
    return absl::InvalidArgumentError("a number is too large");
  }
  return Value{power};
}

absl::StatusOr<Value> OnIntegers(const std::string& op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  if (op == "+") overflow = __builtin_add_overflow(a, b, &result);
  if (op == "-") overflow = __builtin_sub_overflow(a, b, &result);
  if (op == "*") overflow = __builtin_mul_overflow(a, b, &result);
  if (overflow) return TooLarge();
  if (op == "+" || op == "-" || op == "*") return Value{result};
  if (op == "**") return IntegerPower(a, b);
  if (b == 0) return DivisionByZero();
  if (op == "/") return Quotient(a, b);
  if (b == -1) return op == "%" ? Value{int64_t{0}} : OnIntegers("-", 0, a);
  const int64_t floored = a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
  return Value{op == "//" ? floored : a - floored * b};
}

absl::StatusOr<Value> OnNumbers(const std::string& op, double a, double b) {
  if (op == "+") return Value{a + b};
  if (op == "-") return Value{a - b};
  if (op == "*") return Value{a * b};
  if (op == "**") return Power(a, b);
  if (b == 0) return DivisionByZero();
  if (op == "/") return Value{a / b};
  return Value{op == "//" ? FloorQuotient(a, b) : FloorRemainder(a, b)};
}

absl::StatusOr<Value> Join(const Text& left, const Text& right, Budget* budget) {
  RETURN_IF_ERROR(budget->Spend(left.size() + right.size()));
  Text joined = left;
  joined.Append(right);
  return Value::OfText(std::move(joined));
}

absl::StatusOr<Value> JoinLists(const List& left, const List& right, Budget* budget) {
  RETURN_IF_ERROR(budget->Spend((left.items.size() + right.items.size()) * sizeof(Value)));
  std::vector<Value> items = left.items;
  items.insert(items.end(), right.items.begin(), right.items.end());
  return MakeList(std::move(items), budget, left.kind);
}

absl::StatusOr<Value> Repeat(const Value& value, int64_t times, Budget* budget) {
  const auto count = static_cast<size_t>(std::max<int64_t>(0, times));
  const List* list = value.list();
  const size_t size = list == nullptr ? value.text()->size() : list->items.size() * sizeof(Value);
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return TooLarge();
  RETURN_IF_ERROR(budget->Spend(bytes));
  Text text;
  std::vector<Value> items;
  for (size_t i = 0; size > 0 && i < count; ++i) {
    if (list == nullptr) {
      text.Append(*value.text());
    } else {
      items.insert(items.end(), list->items.begin(), list->items.end());
    }
  }
  if (list == nullptr) return Value::OfText(std::move(text));
  return MakeList(std::move(items), budget, list->kind);
}

absl::StatusOr<bool> Contains(const Value& container, const Value& item, Budget* budget) {
  if (const Text* text = container.text()) {
    if (item.text() == nullptr) return Mismatch("in", item, container);
    RETURN_IF_ERROR(budget->Spend(text->size()));
    return text->bytes().find(item.text()->bytes()) != std::string::npos;
  }
  if (const Map* map = container.map()) {
    RETURN_IF_ERROR(budget->Spend(map->entries.size()));
    RETURN_IF_ERROR(CheckHashable(item));
    return item.text() != nullptr && map->Find(item.text()->bytes()) != nullptr;
  }
  if (container.list() != nullptr && container.list()->kind == ListKind::kKeys) {
    RETURN_IF_ERROR(CheckHashable(item));
  }
  ASSIGN_OR_RETURN(const auto items, Items(container, budget));
  for (const Value& other : items->items) {
    ASSIGN_OR_RETURN(const bool equal, Equal(item, other, budget));
    if (!equal) continue;
    StopReading(container);
    return true;
  }
  return false;
}

template <typename T>
bool Ordered(const std::string& op, const T& a, const T& b) {
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  return a >= b;
}

// A string, a list or a tuple.
bool IsSequence(const Value& value) {
  const List* list = value.list();
  const bool plain =
      list != nullptr && (list->kind == ListKind::kList || list->kind == ListKind::kTuple);
  return value.text() != nullptr || plain;
}

bool IsView(const Value& value) { return value.list() != nullptr && value.list()->IsView(); }

bool CanJoin(const Value& left, const Value& right) {
  return left.list() && right.list() && IsSequence(left) && left.list()->kind == right.list()->kind;
}

// The first pair that differs decides, else the lengths.
absl::StatusOr<bool> CompareLists(const std::string& op, const List& left, const List& right,
                                  Budget* budget) {
  for (size_t i = 0; i < std::min(left.items.size(), right.items.size()); ++i) {
    ASSIGN_OR_RETURN(const bool equal, Equal(left.items[i], right.items[i], budget));
    if (!equal) return Compare(op, left.items[i], right.items[i], budget);
  }
  return Ordered(op, left.items.size(), right.items.size());
}

}  // namespace

absl::StatusOr<Value> Operate(const std::string& op, const Value& left, const Value& right,
                              Budget* budget) {
  for (const Value* side : {&left, &right}) {
    const Text* text = side->text();
    if (text != nullptr && text->markup()) {
      return Unsupported(absl::StrCat("'", op, "' with a string that is marked 'safe'"));
    }
  }
  if (op == "~") {
    ASSIGN_OR_RETURN(const Text a, ToText(left, budget));
    ASSIGN_OR_RETURN(const Text b, ToText(right, budget));
    return Join(a, b, budget);
  }
  if (op == "%" && left.text() != nullptr) return Unsupported("formatting a string with '%'");
  if (op == "-" && (IsView(left) || IsView(right))) return Unsupported("'-' of keys() or items()");
  RETURN_IF_ERROR(CheckDefined(left));
  RETURN_IF_ERROR(CheckDefined(right));
  if (const auto a = AsInteger(left), b = AsInteger(right); a && b) return OnIntegers(op, *a, *b);
  if (const auto a = AsNumber(left), b = AsNumber(right); a && b) return OnNumbers(op, *a, *b);
  if (op == "+" && left.text() && right.text()) return Join(*left.text(), *right.text(), budget);
  if (op == "+" && CanJoin(left, right)) return JoinLists(*left.list(), *right.list(), budget);
  if (op == "*" && IsSequence(left) && AsInteger(right)) {
    return Repeat(left, *AsInteger(right), budget);
  }
  if (op == "*" && IsSequence(right) && AsInteger(left)) {
    return Repeat(right, *AsInteger(left), budget);
  }
  return Mismatch(op, left, right);
}

absl::StatusOr<bool> Compare(const std::string& op, const Value& left, const Value& right,
                             Budget* budget) {
  if (op == "==" || op == "!=") {
    ASSIGN_OR_RETURN(const bool equal, Equal(left, right, budget));
    return equal == (op == "==");
  }
  if (op == "in" || op == "not in") {
    ASSIGN_OR_RETURN(const bool contains, Contains(right, left, budget));
    return contains == (op == "in");
  }
  RETURN_IF_ERROR(CheckDefined(left));
  RETURN_IF_ERROR(CheckDefined(right));
  if (const auto a = AsInteger(left), b = AsInteger(right); a && b) return Ordered(op, *a, *b);
  if (const auto a = ExactNumber(left), b = ExactNumber(right); a && b) {
    return Ordered(op, *a, *b);
  }
  if (left.list() && right.list() && IsSequence(left) && left.list()->kind == right.list()->kind) {
    return CompareLists(op, *left.list(), *right.list(), budget);
  }
  if (IsView(left)) return Unsupported("comparing what keys() gives");
  if (left.text() == nullptr || right.text() == nullptr) return Mismatch(op, left, right);
  return Ordered(op, left.text()->bytes(), right.text()->bytes());
}

absl::StatusOr<Value> Sign(const std::string& op, const Value& operand) {
  RETURN_IF_ERROR(CheckDefined(operand));
  if (const auto integer = AsInteger(operand)) return OnIntegers(op, 0, *integer);
  if (const auto* number = operand.As<double>()) return Value{op == "-" ? -*number : *number};
  return absl::InvalidArgumentError(
      absl::StrCat("'", op, "' does not work on ", KindName(operand)));
}

}  // namespace mozgach::jinja
