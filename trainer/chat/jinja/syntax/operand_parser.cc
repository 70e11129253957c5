#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "trainer/chat/jinja/syntax/expression_depth.h"
#include "trainer/chat/jinja/syntax/expression_parser.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {

absl::StatusOr<ExpressionPtr> ExpressionParser::ParsePrimary() {
  const Token token = tokens_.Peek();
  switch (token.kind) {
    case TokenKind::kName:
    case TokenKind::kString:
    case TokenKind::kInteger:
    case TokenKind::kFloat:
      tokens_.Next();
      return ParsePrimaryOf(token);
    default:
      break;
  }
  if (tokens_.TakeOperator("(")) return ParseParenthesis(token.line);
  if (tokens_.TakeOperator("[")) return ParseList(token.line);
  if (tokens_.TakeOperator("{")) return ParseMap(token.line);
  return tokens_.Unexpected("a value");
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParsePrimaryOf(const Token& token) {
  const std::string& text = token.text;
  if (token.kind == TokenKind::kString) {
    std::string joined = text;
    while (tokens_.Peek().kind == TokenKind::kString) joined += tokens_.Next().text;
    return MakeExpression(tokens_, token.line, Literal{Value::OfText(Text(std::move(joined)))});
  }
  if (token.kind == TokenKind::kInteger) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(text, &number)) {
      return tokens_.Error(std::string(Unsupported("an integer beyond 64 bits").message()));
    }
    return MakeExpression(tokens_, token.line, Literal{Value{number}});
  }
  if (token.kind == TokenKind::kFloat) {
    double number = 0;
    if (!absl::SimpleAtod(text, &number)) return tokens_.Error("a number is too large");
    return MakeExpression(tokens_, token.line, Literal{Value{number}});
  }
  if (text == "true" || text == "True")
    return MakeExpression(tokens_, token.line, Literal{Value{true}});
  if (text == "false" || text == "False")
    return MakeExpression(tokens_, token.line, Literal{Value{false}});
  if (text == "none" || text == "None")
    return MakeExpression(tokens_, token.line, Literal{Value{None{}}});
  return MakeExpression(tokens_, token.line, Name{text});
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseParenthesis(int line) {
  if (tokens_.TakeOperator(")")) {
    return MakeExpression(tokens_, line, ListDisplay{{}, /*tuple=*/true});
  }
  ASSIGN_OR_RETURN(ExpressionPtr first, ParseExpression());
  if (tokens_.TakeOperator(")")) return first;
  ListDisplay tuple{{}, /*tuple=*/true};
  tuple.items.push_back(std::move(first));
  while (!tokens_.TakeOperator(")")) {
    RETURN_IF_ERROR(tokens_.ExpectOperator(","));
    if (tokens_.TakeOperator(")")) break;
    ASSIGN_OR_RETURN(ExpressionPtr item, ParseExpression());
    tuple.items.push_back(std::move(item));
  }
  return MakeExpression(tokens_, line, std::move(tuple));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseList(int line) {
  ListDisplay list;
  while (!tokens_.TakeOperator("]")) {
    if (!list.items.empty()) RETURN_IF_ERROR(tokens_.ExpectOperator(","));
    if (tokens_.TakeOperator("]")) break;
    ASSIGN_OR_RETURN(ExpressionPtr item, ParseExpression());
    list.items.push_back(std::move(item));
  }
  return MakeExpression(tokens_, line, std::move(list));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseMap(int line) {
  MapDisplay map;
  while (!tokens_.TakeOperator("}")) {
    if (!map.entries.empty()) RETURN_IF_ERROR(tokens_.ExpectOperator(","));
    if (tokens_.TakeOperator("}")) break;
    ASSIGN_OR_RETURN(ExpressionPtr key, ParseExpression());
    RETURN_IF_ERROR(tokens_.ExpectOperator(":"));
    ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
    map.entries.emplace_back(std::move(key), std::move(value));
  }
  return MakeExpression(tokens_, line, std::move(map));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParsePostfix(ExpressionPtr object) {
  for (;;) {
    const int line = tokens_.line();
    if (tokens_.TakeOperator(".")) {
      if (tokens_.Peek().kind == TokenKind::kInteger) {
        ASSIGN_OR_RETURN(ExpressionPtr index, ParsePrimary());
        ASSIGN_OR_RETURN(
            object, MakeExpression(tokens_, line, Subscript{std::move(object), std::move(index)}));
        continue;
      }
      ASSIGN_OR_RETURN(std::string name, tokens_.ExpectName("a name behind '.'"));
      ASSIGN_OR_RETURN(
          object, MakeExpression(tokens_, line, Attribute{std::move(object), std::move(name)}));
    } else if (tokens_.TakeOperator("[")) {
      ASSIGN_OR_RETURN(object, ParseSubscript(std::move(object)));
    } else if (tokens_.Peek().IsOperator("(")) {
      ASSIGN_OR_RETURN(ArgumentList arguments, ParseArguments());
      ASSIGN_OR_RETURN(
          object, MakeExpression(tokens_, line, Call{std::move(object), std::move(arguments)}));
    } else {
      return object;
    }
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseSubscript(ExpressionPtr object) {
  const int line = tokens_.line();
  ExpressionPtr parts[3];
  int colons = 0;
  while (!tokens_.TakeOperator("]")) {
    if (tokens_.TakeOperator(":")) {
      if (++colons > 2) return tokens_.Error("a slice has at most two ':'");
    } else if (parts[colons] == nullptr) {
      ASSIGN_OR_RETURN(parts[colons], ParseExpression());
    } else {
      return tokens_.Unexpected("']'");
    }
  }
  if (colons > 0) {
    return MakeExpression(
        tokens_, line,
        Slice{std::move(object), std::move(parts[0]), std::move(parts[1]), std::move(parts[2])});
  }
  if (parts[0] == nullptr) return tokens_.Error("there is nothing between '[' and ']'");
  return MakeExpression(tokens_, line, Subscript{std::move(object), std::move(parts[0])});
}

absl::StatusOr<ArgumentList> ExpressionParser::ParseArguments() {
  ArgumentList arguments;
  RETURN_IF_ERROR(tokens_.ExpectOperator("("));
  for (bool first = true; !tokens_.TakeOperator(")"); first = false) {
    if (!first) RETURN_IF_ERROR(tokens_.ExpectOperator(","));
    if (tokens_.TakeOperator(")")) break;
    if (tokens_.Peek().IsOperator("*") || tokens_.Peek().IsOperator("**")) {
      return tokens_.Error(std::string(Unsupported("'*' before an argument").message()));
    }
    const bool named =
        tokens_.Peek().kind == TokenKind::kName && tokens_.PeekNext().IsOperator("=");
    if (!named) {
      if (!arguments.named.empty()) return tokens_.Error("an argument without name comes too late");
      ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
      arguments.positional.push_back(std::move(value));
      continue;
    }
    std::string name = tokens_.Next().text;
    tokens_.Next();
    ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
    arguments.named.emplace_back(std::move(name), std::move(value));
  }
  return arguments;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseFilters(ExpressionPtr input) {
  for (;;) {
    const int line = tokens_.line();
    if (tokens_.TakeOperator("|")) {
      Filter filter{std::move(input), "", {}};
      ASSIGN_OR_RETURN(filter.name, tokens_.ExpectName("the name of a filter"));
      if (tokens_.Peek().IsOperator("(")) {
        ASSIGN_OR_RETURN(filter.arguments, ParseArguments());
      }
      ASSIGN_OR_RETURN(input, MakeExpression(tokens_, line, std::move(filter)));
    } else if (tokens_.TakeName("is")) {
      ASSIGN_OR_RETURN(input, ParseTest(std::move(input)));
    } else if (tokens_.Peek().IsOperator("(")) {
      ASSIGN_OR_RETURN(ArgumentList arguments, ParseArguments());
      ASSIGN_OR_RETURN(input,
                       MakeExpression(tokens_, line, Call{std::move(input), std::move(arguments)}));
    } else {
      return input;
    }
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::ParseTest(ExpressionPtr input) {
  const int line = tokens_.line();
  Test test{std::move(input), "", {}, tokens_.TakeName("not")};
  ASSIGN_OR_RETURN(test.name, tokens_.ExpectName("the name of a test behind 'is'"));
  const Token& next = tokens_.Peek();
  const bool word = next.kind == TokenKind::kName && next.text != "else" && next.text != "or" &&
                    next.text != "and" && next.text != "if" && next.text != "is";
  if (next.IsOperator("(")) {
    ASSIGN_OR_RETURN(test.arguments, ParseArguments());
  } else if (word || next.kind == TokenKind::kString || next.kind == TokenKind::kInteger ||
             next.kind == TokenKind::kFloat || next.IsOperator("[") || next.IsOperator("{")) {
    ASSIGN_OR_RETURN(ExpressionPtr argument, ParsePrimary());
    ASSIGN_OR_RETURN(argument, ParsePostfix(std::move(argument)));
    test.arguments.positional.push_back(std::move(argument));
  }
  return MakeExpression(tokens_, line, std::move(test));
}

}  // namespace mozgach::jinja
