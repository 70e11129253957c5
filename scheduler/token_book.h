// The TokenBook is who may come in: tokens by their digests, and what was taken back.  Rows in the
// database, and a copy in memory, which every call is held against.
//
// Recover, Add and Revoke: one thread at a time, who has the database (at the front desk).  The
// rest is thread-safe.
#pragma once

#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "registry/database.h"
#include "security/identity.h"

namespace mozgach {

struct IssuedToken {
  std::string name;
  Role role = Role::kViewer;
  std::string sha256;
  WallTime created{};
  std::string created_by;
  WallTime expires{};  // zero: never
};

struct Revoked {
  std::string name;
  WallTime before{};
  std::string by;
};

class TokenBook {
 public:
  static constexpr size_t kTokensMax = 10000;

  // The database outlives the book.
  explicit TokenBook(Database& database) : database_(database) {}

  // Reads what is stored.
  absl::Status Recover();

  // Joins the open transaction; counts from Commit on.  ALREADY_EXISTS unless `replace`;
  // RESOURCE_EXHAUSTED when there are too many.
  absl::Status Add(const IssuedToken& token, bool replace);
  // NOT_FOUND never: a certificate's name is not known here.
  absl::Status Revoke(const Revoked& revoked);
  // After the transaction of Add or Revoke: takes over what is stored.
  absl::Status Commit() { return Recover(); }

  // Whose token this is.  UNAUTHENTICATED: no token of ours, or one that has expired.
  absl::StatusOr<Identity> Check(std::string_view token, WallTime now) const;
  // UNAUTHENTICATED when what was issued to it has been taken back.
  absl::Status CheckNotRevoked(const Identity& identity) const;

  bool Has(const std::string& name) const;
  std::vector<IssuedToken> tokens() const;
  std::vector<Revoked> revocations() const;

 private:
  Database& database_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, IssuedToken> tokens_;
  std::map<std::string, Revoked> revocations_;
};

}  // namespace mozgach
