#include "registry/query.h"

#include "absl/strings/str_cat.h"

namespace mozgach {

void Query::Prepare() { statement_ = database_.TakeStatement(sql_, &status_); }

Query::~Query() {
  if (statement_ != nullptr) database_.ReturnStatement(sql_, statement_);
}

bool Query::Next() {
  if (!status_.ok()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) status_ = database_.Error(code, absl::StrCat("run '", sql_, "'"));
  return false;
}

std::string Query::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return "";
  return std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

void Query::Check(int code) {
  if (code != SQLITE_OK && status_.ok()) {
    status_ = database_.Error(code, absl::StrCat("bind ?", parameter_, " of '", sql_, "'"));
  }
}

void Query::Bind(int64_t value) {
  ++parameter_;
  if (statement_ != nullptr) Check(sqlite3_bind_int64(statement_, parameter_, value));
}

void Query::Bind(double value) {
  ++parameter_;
  if (statement_ != nullptr) Check(sqlite3_bind_double(statement_, parameter_, value));
}

void Query::Bind(std::string_view value) {
  ++parameter_;
  if (statement_ == nullptr) return;
  // A null pointer would bind NULL, and "" is not NULL.
  const char* data = value.data() == nullptr ? "" : value.data();
  Check(sqlite3_bind_text64(statement_, parameter_, data, value.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
}

}  // namespace mozgach
