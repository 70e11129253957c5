#include "scheduler/services/fleet_service.h"

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "failpoint/failpoint.h"
#include "scheduler/access/unary_reply.h"

namespace mozgach {
namespace {

constexpr int kIssueTimesMax = 1000;  // in a RevokeRequest

v1::Token View(const IssuedToken& token, WallTime now) {
  v1::Token view;
  view.set_name(token.name);
  view.set_role(Name(token.role));
  view.set_created_at(FormatTime(token.created));
  view.set_created_by(token.created_by);
  if (token.expires == WallTime()) return view;
  view.set_expires_at(FormatTime(token.expires));
  view.set_expired(token.expires <= now);
  return view;
}

v1::Revocation View(const Revoked& revoked) {
  v1::Revocation view;
  view.set_name(revoked.name);
  view.set_before(FormatTime(revoked.before));
  view.set_revoked_by(revoked.by);
  return view;
}

absl::StatusOr<IssuedToken> ReadToken(const v1::AddTokenRequest& request) {
  RETURN_IF_ERROR(CheckIdentityName(request.name()));
  IssuedToken token;
  token.name = request.name();
  ASSIGN_OR_RETURN(token.role, RoleFrom(request.role()));
  if (!IsSha256Hex(request.sha256())) {
    return absl::InvalidArgumentError("a token is told by its SHA-256, 64 lower-case hex digits");
  }
  token.sha256 = request.sha256();
  if (!request.expires_at().empty()) {
    ASSIGN_OR_RETURN(token.expires, ParseTime(request.expires_at()));
  }
  return token;
}

}  // namespace

grpc::ServerUnaryReactor* FleetService::WhoAmI(grpc::CallbackServerContext* context,
                                               const v1::WhoAmIRequest* request,
                                               v1::WhoAmIResponse* response) {
  const absl::StatusOr<Caller> caller = authenticator_.CallerOf(*context);
  if (!caller.ok()) return ReplyWith<v1::WhoAmIResponse>(context, caller.status(), response);
  v1::WhoAmIResponse answer;
  answer.set_name(caller->name);
  answer.set_role(Name(caller->role));
  answer.set_local(caller->local);
  return ReplyWith<v1::WhoAmIResponse>(context, answer, response);
}

grpc::ServerUnaryReactor* FleetService::AddToken(grpc::CallbackServerContext* context,
                                                 const v1::AddTokenRequest* request,
                                                 v1::Token* response) {
  return ReplyWith(context, Add(*context, *request), response);
}

grpc::ServerUnaryReactor* FleetService::ListTokens(grpc::CallbackServerContext* context,
                                                   const v1::ListTokensRequest* request,
                                                   v1::ListTokensResponse* response) {
  return ReplyWith<v1::ListTokensResponse>(context, List(), response);
}

grpc::ServerUnaryReactor* FleetService::Revoke(grpc::CallbackServerContext* context,
                                               const v1::RevokeRequest* request,
                                               v1::Revocation* response) {
  return ReplyWith(context, TakeBack(*context, *request), response);
}

absl::Status FleetService::Write(const std::function<absl::StatusOr<Event>(WallTime)>& change) {
  return executor_.Run([&](Core& core, const Now& now) -> absl::Status {
    SchedulerState& state = core.state();
    Transaction transaction(state.database);
    RETURN_IF_ERROR(transaction.status());
    ASSIGN_OR_RETURN(const Event event, change(now.wall));
    RETURN_IF_ERROR(state.events.Append(event));
    RETURN_IF_ERROR(COMMIT("scheduler.token.write", transaction));
    return tokens_.Commit();
  });
}

absl::StatusOr<v1::Token> FleetService::Add(const grpc::CallbackServerContext& context,
                                            const v1::AddTokenRequest& request) {
  ASSIGN_OR_RETURN(const Caller caller, authenticator_.CallerOf(context));
  RETURN_IF_ERROR(CheckActor(request.actor()));
  ASSIGN_OR_RETURN(IssuedToken token, ReadToken(request));
  token.created_by = caller.Actor(request.actor());
  RETURN_IF_ERROR(Write([&](WallTime now) -> absl::StatusOr<Event> {
    token.created = now;
    const bool expires = token.expires != WallTime();
    if (expires && token.expires <= now) {
      return absl::InvalidArgumentError("the token would have expired already");
    }
    RETURN_IF_ERROR(tokens_.Add(token, request.replace()));
    const std::string until = expires ? absl::StrCat(", until ", FormatTime(token.expires)) : "";
    return Event{.time = now,
                 .kind = "token_added",
                 .actor = token.created_by,
                 .message = absl::StrCat(token.name, " as ", Name(token.role), until)};
  }));
  return View(token, token.created);
}

v1::ListTokensResponse FleetService::List() {
  v1::ListTokensResponse response;
  const WallTime now = executor_.RunWithoutSync([](Core&, const Now& now) { return now.wall; });
  for (const IssuedToken& token : tokens_.tokens()) *response.add_tokens() = View(token, now);
  for (const Revoked& revoked : tokens_.revocations()) *response.add_revocations() = View(revoked);
  return response;
}

absl::StatusOr<v1::Revocation> FleetService::TakeBack(const grpc::CallbackServerContext& context,
                                                      const v1::RevokeRequest& request) {
  ASSIGN_OR_RETURN(const Caller caller, authenticator_.CallerOf(context));
  RETURN_IF_ERROR(CheckActor(request.actor()));
  RETURN_IF_ERROR(CheckIdentityName(request.name()));
  if (request.issued_ms_size() > kIssueTimesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a revocation names at most ", kIssueTimesMax,
                                                   " issue times, not ", request.issued_ms_size()));
  }
  Revoked revoked{request.name(), {}, caller.Actor(request.actor()), {}};
  for (const int64_t issued : request.issued_ms()) revoked.early.insert(FromMillis(issued));
  bool had_token = false;
  RETURN_IF_ERROR(Write([&](WallTime now) -> absl::StatusOr<Event> {
    revoked.before = now;
    had_token = tokens_.Has(request.name());
    RETURN_IF_ERROR(tokens_.Revoke(revoked));
    return Event{.time = now, .kind = "revoked", .actor = revoked.by, .message = request.name()};
  }));
  v1::Revocation view = View(revoked);
  view.set_had_token(had_token);
  return view;
}

}  // namespace mozgach
