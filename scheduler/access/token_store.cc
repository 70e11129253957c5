#include "scheduler/access/token_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "registry/query.h"
#include "scheduler/queries.h"
#include "security/token.h"

namespace mozgach {
namespace sql = scheduler_sql;

absl::Status TokenStore::Recover() {
  std::map<std::string, IssuedToken> tokens;
  Query token_rows(database_, sql::kEveryToken);
  while (token_rows.Next()) {
    IssuedToken token;
    token.name = token_rows.Text(0);
    ASSIGN_OR_RETURN(token.role, RoleFrom(token_rows.Text(1)));
    token.sha256 = token_rows.Text(2);
    token.created = FromMillis(token_rows.Int(3));
    token.created_by = token_rows.Text(4);
    token.expires = FromMillis(token_rows.Int(5));
    tokens.emplace(token.name, std::move(token));
  }
  RETURN_IF_ERROR(token_rows.status());
  std::map<std::string, Revoked> revocations;
  Query rows(database_, sql::kEveryRevocation);
  while (rows.Next()) {
    Revoked revoked{rows.Text(0), FromMillis(rows.Int(1)), rows.Text(2), {}};
    revocations.emplace(revoked.name, std::move(revoked));
  }
  RETURN_IF_ERROR(rows.status());
  Query early(database_, sql::kEveryEarlyCertificate);
  while (early.Next()) revocations[early.Text(0)].early.insert(FromMillis(early.Int(1)));
  RETURN_IF_ERROR(early.status());
  WriterLock lock(mutex_);
  tokens_ = std::move(tokens);
  revocations_ = std::move(revocations);
  return absl::OkStatus();
}

absl::Status TokenStore::Add(const IssuedToken& token, bool replace) {
  {
    const ReaderLock lock(mutex_);
    const bool known = tokens_.count(token.name) > 0;
    if (known && !replace) {
      return absl::AlreadyExistsError(absl::StrCat("there is a token of ", token.name,
                                                   " already; --replace makes the old one void"));
    }
    if (!known && tokens_.size() >= kTokensMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("there are ", kTokensMax, " tokens already; revoke some"));
    }
  }
  return Run(database_, sql::kSaveToken, token.name, std::string(Name(token.role)), token.sha256,
             ToMillis(token.created), token.created_by, ToMillis(token.expires));
}

absl::Status TokenStore::Revoke(const Revoked& revoked) {
  std::set<WallTime> early(revoked.early.upper_bound(revoked.before), revoked.early.end());
  {
    const ReaderLock lock(mutex_);
    if (revocations_.count(revoked.name) == 0 && revocations_.size() >= kTokensMax) {
      return absl::ResourceExhaustedError(
          "so many names have been revoked that a new authority is due: mozgachctl fleet init");
    }
    for (const auto& [certificate, refused] : early_) {
      const auto& [name, issued] = certificate;
      if (name == revoked.name && issued > revoked.before) early.insert(issued);
    }
  }
  RETURN_IF_ERROR(Run(database_, sql::kForgetToken, revoked.name));
  for (const WallTime issued : early) {
    RETURN_IF_ERROR(Run(database_, sql::kSaveEarlyCertificate, revoked.name, ToMillis(issued)));
  }
  return Run(database_, sql::kSaveRevocation, revoked.name, ToMillis(revoked.before), revoked.by);
}

absl::StatusOr<Identity> TokenStore::Check(std::string_view token, WallTime now) const {
  // One sentence for every reason, so that it tells a guesser nothing.
  const absl::Status unknown = absl::UnauthenticatedError(
      "the token is not one of this fleet's, or was revoked; `mozgachctl fleet token` makes one");
  const absl::StatusOr<std::string> name = NameInToken(token);
  if (!name.ok()) return unknown;
  const std::string digest = DigestOfToken(token);
  const ReaderLock lock(mutex_);
  const auto found = tokens_.find(*name);
  if (found == tokens_.end() || !SameDigest(digest, found->second.sha256)) return unknown;
  const IssuedToken& issued = found->second;
  if (issued.expires != WallTime() && issued.expires <= now) {
    return absl::UnauthenticatedError(
        absl::StrCat("the token of ", *name, " expired at ", FormatTime(issued.expires),
                     "; an operator makes another with `mozgachctl fleet token`"));
  }
  return Identity{.role = issued.role, .name = *name, .issued = issued.created};
}

void TokenStore::RememberEarly(const Identity& identity, bool refused) const {
  WriterLock lock(mutex_);
  const IssueTime certificate(identity.name, identity.issued);
  const auto found = early_.find(certificate);
  if (found != early_.end()) {
    found->second |= refused;
  } else if (early_.size() < kEarlyMax) {
    early_.emplace(certificate, refused);
  }
}

absl::Status TokenStore::CheckCertificate(const Identity& identity, WallTime now) const {
  const bool refused = identity.issued > now + kClockAheadMax;
  if (identity.issued > now) RememberEarly(identity, refused);
  if (refused) {
    return absl::UnauthenticatedError(absl::StrCat(
        "the certificate of ", identity.name, " says that it was issued at ",
        FormatTime(identity.issued), ", but it is ", FormatTime(now),
        " on the scheduler's host: set the clocks right, then make another with --replace"));
  }
  const ReaderLock lock(mutex_);
  const auto found = revocations_.find(identity.name);
  if (found == revocations_.end()) return absl::OkStatus();
  const auto early = early_.find(IssueTime(identity.name, identity.issued));
  const bool refused_before = early != early_.end() && early->second;
  if (identity.issued > found->second.before && !refused_before &&
      found->second.early.count(identity.issued) == 0) {
    return absl::OkStatus();
  }
  return absl::UnauthenticatedError(
      absl::StrCat("the certificate of ", identity.name, " was revoked at ",
                   FormatTime(found->second.before), "; one that is made now is let in"));
}

bool TokenStore::Has(const std::string& name) const {
  const ReaderLock lock(mutex_);
  return tokens_.count(name) > 0;
}

std::vector<IssuedToken> TokenStore::tokens() const {
  const ReaderLock lock(mutex_);
  std::vector<IssuedToken> tokens;
  for (const auto& [name, token] : tokens_) tokens.push_back(token);
  return tokens;
}

std::vector<Revoked> TokenStore::revocations() const {
  const ReaderLock lock(mutex_);
  std::vector<Revoked> revocations;
  for (const auto& [name, revoked] : revocations_) revocations.push_back(revoked);
  return revocations;
}

}  // namespace mozgach
