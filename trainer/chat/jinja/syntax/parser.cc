#include "trainer/chat/jinja/syntax/parser.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/syntax/expression_parser.h"
#include "trainer/chat/jinja/syntax/token_stream.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

constexpr size_t kMaxSourceBytes = 1 << 20;
constexpr int kMaxBlocks = 50;

class StatementParser {
 public:
  explicit StatementParser(std::vector<Token> tokens)
      : tokens_(std::move(tokens)), expressions_(&tokens_) {}

  absl::StatusOr<Body> ParseTemplate() {
    ASSIGN_OR_RETURN(Body body, ParseBody({}));
    if (tokens_.Peek().kind != TokenKind::kEnd) return tokens_.Unexpected("the end");
    return body;
  }

 private:
  using Words = std::initializer_list<const char*>;

  // Statements up to a block that begins with one of `ends`; what is left begins with that word.
  absl::StatusOr<Body> ParseBody(Words ends) {
    if (blocks_ >= kMaxBlocks) return tokens_.Error("blocks are nested too deep");
    ++blocks_;
    Body body;
    for (;;) {
      const Token token = tokens_.Next();
      if (token.kind == TokenKind::kEnd) break;
      if (token.kind == TokenKind::kText) {
        body.push_back({token.line, TextStatement{token.text}});
      } else if (token.kind == TokenKind::kPrintBegin) {
        ASSIGN_OR_RETURN(ExpressionPtr value, expressions_.ParseTuple());
        RETURN_IF_ERROR(tokens_.Expect(TokenKind::kPrintEnd, "'}}'"));
        body.push_back({token.line, PrintStatement{std::move(value)}});
      } else {
        for (const char* end : ends) {
          if (tokens_.Peek().IsName(end)) return --blocks_, std::move(body);
        }
        ASSIGN_OR_RETURN(Statement statement, ParseStatement());
        body.push_back(std::move(statement));
      }
    }
    if (ends.size() > 0) {
      return tokens_.Error(
          absl::StrCat("a block has no end: '{% ", *(ends.end() - 1), " %}' is missing"));
    }
    return body;
  }

  // What Jinja2 has and we do not.
  static absl::Status Missing(std::string_view what, int line) {
    return Annotate(Unsupported(what), absl::StrCat("line ", line));
  }

  absl::Status EndBlock() { return tokens_.Expect(TokenKind::kBlockEnd, "'%}'"); }

  // A body up to `{% end %}`, which is taken.
  absl::StatusOr<Body> ParseBodyAndEnd(const char* end) {
    RETURN_IF_ERROR(EndBlock());
    ASSIGN_OR_RETURN(Body body, ParseBody({end}));
    tokens_.Next();
    RETURN_IF_ERROR(EndBlock());
    return body;
  }

  absl::StatusOr<Statement> ParseStatement() {
    const int line = tokens_.line();
    ASSIGN_OR_RETURN(const std::string word, tokens_.ExpectName("a tag"));
    if (word == "if") return ParseIf(line);
    if (word == "for") return ParseFor(line);
    if (word == "set") return ParseSet(line);
    if (word == "macro") return ParseMacro(line);
    if (word == "generation") {
      const int loops = std::exchange(loops_, 0);
      ASSIGN_OR_RETURN(Body body, ParseBodyAndEnd("endgeneration"));
      loops_ = loops;
      return Statement{line, GenerationStatement{std::move(body)}};
    }
    if (word == "break" || word == "continue") {
      if (loops_ == 0) return tokens_.Error(absl::StrCat("'", word, "' outside of a for"));
      RETURN_IF_ERROR(EndBlock());
      if (word == "break") return Statement{line, BreakStatement{}};
      return Statement{line, ContinueStatement{}};
    }
    if (word.rfind("end", 0) == 0 || word == "else" || word == "elif") {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", line, ": '", Abbreviate(word, 40), "' has no block to belong to"));
    }
    return Missing(absl::StrCat("the tag '", Abbreviate(word, 40), "'"), line);
  }

  absl::StatusOr<Statement> ParseIf(int line) {
    IfStatement node;
    for (bool more = true; more;) {
      ASSIGN_OR_RETURN(ExpressionPtr condition, expressions_.ParseTuple());
      RETURN_IF_ERROR(EndBlock());
      ASSIGN_OR_RETURN(Body body, ParseBody({"elif", "else", "endif"}));
      node.branches.emplace_back(std::move(condition), std::move(body));
      more = tokens_.TakeName("elif");
    }
    if (tokens_.TakeName("else")) {
      ASSIGN_OR_RETURN(node.otherwise, ParseBodyAndEnd("endif"));
    } else {
      tokens_.Next();
      RETURN_IF_ERROR(EndBlock());
    }
    return Statement{line, std::move(node)};
  }

  absl::StatusOr<Statement> ParseFor(int line) {
    ForStatement node;
    if (tokens_.Peek().IsOperator("(")) return Missing("parentheses behind 'for'", line);
    do {
      ASSIGN_OR_RETURN(std::string name, tokens_.ExpectName("a name behind 'for'"));
      node.targets.push_back(std::move(name));
    } while (tokens_.TakeOperator(","));
    if (!tokens_.TakeName("in")) return tokens_.Unexpected("'in'");
    ASSIGN_OR_RETURN(node.items, expressions_.ParseOr());
    if (tokens_.Peek().IsOperator(",")) {
      return Missing("a tuple without parentheses in 'for'", line);
    }
    if (tokens_.TakeName("if")) {
      ASSIGN_OR_RETURN(node.condition, expressions_.ParseExpression());
    }
    if (tokens_.Peek().IsName("recursive")) {
      return Missing("a recursive for", line);
    }
    RETURN_IF_ERROR(EndBlock());
    ++loops_;
    ASSIGN_OR_RETURN(node.body, ParseBody({"else", "endfor"}));
    --loops_;
    if (tokens_.TakeName("else")) {
      ASSIGN_OR_RETURN(node.otherwise, ParseBodyAndEnd("endfor"));
    } else {
      tokens_.Next();
      RETURN_IF_ERROR(EndBlock());
    }
    return Statement{line, std::move(node)};
  }

  absl::StatusOr<Target> ParseTarget() {
    Target target;
    ASSIGN_OR_RETURN(target.name, tokens_.ExpectName("a name behind 'set'"));
    if (tokens_.TakeOperator(".")) {
      ASSIGN_OR_RETURN(target.attribute, tokens_.ExpectName("a name behind '.'"));
    }
    return target;
  }

  absl::StatusOr<Statement> ParseSet(int line) {
    SetStatement node;
    if (tokens_.Peek().IsOperator("(")) return Missing("parentheses behind 'set'", line);
    do {
      ASSIGN_OR_RETURN(Target target, ParseTarget());
      node.targets.push_back(std::move(target));
    } while (tokens_.TakeOperator(","));
    if (tokens_.TakeOperator("=")) {
      ASSIGN_OR_RETURN(node.value, expressions_.ParseTuple());
      RETURN_IF_ERROR(EndBlock());
      return Statement{line, std::move(node)};
    }
    if (node.targets.size() > 1) return tokens_.Unexpected("'='");
    if (tokens_.Peek().IsOperator("|")) return Missing("a filter in a block 'set'", line);
    ASSIGN_OR_RETURN(Body body, ParseBodyAndEnd("endset"));
    return Statement{line, SetBlockStatement{std::move(node.targets[0]), std::move(body)}};
  }

  absl::StatusOr<Statement> ParseMacro(int line) {
    auto macro = std::make_unique<MacroStatement>();
    ASSIGN_OR_RETURN(macro->name, tokens_.ExpectName("a name behind 'macro'"));
    RETURN_IF_ERROR(tokens_.ExpectOperator("("));
    while (!tokens_.TakeOperator(")")) {
      if (!macro->parameters.empty()) RETURN_IF_ERROR(tokens_.ExpectOperator(","));
      ASSIGN_OR_RETURN(std::string name, tokens_.ExpectName("the name of a parameter"));
      ExpressionPtr value;
      if (tokens_.TakeOperator("=")) {
        ASSIGN_OR_RETURN(value, expressions_.ParseExpression());
      }
      macro->parameters.emplace_back(std::move(name), std::move(value));
    }
    const int loops = std::exchange(loops_, 0);
    ASSIGN_OR_RETURN(macro->body, ParseBodyAndEnd("endmacro"));
    loops_ = loops;
    return Statement{line, std::unique_ptr<const MacroStatement>(std::move(macro))};
  }

  TokenStream tokens_;
  ExpressionParser expressions_;
  int blocks_ = 0;
  int loops_ = 0;
};

}  // namespace

absl::StatusOr<Body> Parse(std::string_view source) {
  if (source.size() > kMaxSourceBytes) {
    return absl::InvalidArgumentError("the chat template is longer than 1 MiB");
  }
  if (FirstInvalidUtf8(source) != std::string_view::npos) {
    return absl::InvalidArgumentError("the chat template is not UTF-8");
  }
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(source));
  return StatementParser(std::move(tokens)).ParseTemplate();
}

}  // namespace mozgach::jinja
