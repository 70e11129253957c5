// The TokenStore is who may come in: tokens by their digests, and what was taken back.  Rows in the
// database, and a copy in memory, which every call is held against.
//
// Recover, Add and Revoke: one thread at a time, who has the database (at the front executor).  The
// rest is thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
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
  // Issue times after `before` of certificates that are void too: they had been shown by then, or
  // the authority knows of them.
  std::set<WallTime> early;
};

class TokenStore {
 public:
  static constexpr size_t kTokensMax = 10000;

  // The database outlives the book.
  explicit TokenStore(Database& database) : database_(database) {}

  // Reads what is stored.
  absl::Status Recover();

  // Joins the open transaction; counts from Commit on.  ALREADY_EXISTS unless `replace`;
  // RESOURCE_EXHAUSTED when there are too many.
  absl::Status Add(const IssuedToken& token, bool replace);
  // NOT_FOUND never: a certificate's name is not known here.  Of `revoked.early` the times after
  // `revoked.before` count.
  absl::Status Revoke(const Revoked& revoked);
  // After the transaction of Add or Revoke: takes over what is stored.
  absl::Status Commit() { return Recover(); }

  // Whose token this is.  UNAUTHENTICATED: no token of ours, or one that has expired.
  absl::StatusOr<Identity> Check(std::string_view token, WallTime now) const;
  // How far the clock that issued a certificate may be ahead.
  static constexpr Milliseconds kClockAheadMax{10'000};

  // UNAUTHENTICATED when the certificate was revoked, or says that it was issued more than
  // kClockAheadMax after `now`: a revocation compares issue times with its own.  A revocation also
  // covers every later issue time that was shown here before, accepted or not.  Of a name that was
  // revoked, a certificate that was refused for its time is not let in later either.
  absl::Status CheckCertificate(const Identity& identity, WallTime now) const;

  bool Has(const std::string& name) const;
  std::vector<IssuedToken> tokens() const;
  std::vector<Revoked> revocations() const;

 private:
  Database& database_;
  static constexpr size_t kEarlyMax = 1000;

  using IssueTime = std::pair<std::string, WallTime>;  // name and issue time of a certificate

  void RememberEarly(const Identity& identity, bool refused) const;

  mutable SharedMutex mutex_;
  std::map<std::string, IssuedToken> tokens_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Revoked> revocations_ ABSL_GUARDED_BY(mutex_);
  // Certificates that were shown before their issue time, and whether they were refused for it.
  mutable std::map<IssueTime, bool> early_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mozgach
