#include "scheduler/access/authenticator.h"

#include <grpc/grpc_security_constants.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "scheduler/access/method_roles.h"
#include "scheduler/access/unary_reply.h"

namespace mozgach {
namespace {

constexpr size_t kActorBytesMax = 256;
constexpr double kBurstSeconds = 5;

using Metadata = grpc::AuthMetadataProcessor::InputMetadata;

std::string Property(const grpc::AuthContext& connection, const char* name) {
  const std::vector<grpc::string_ref> values = connection.FindPropertyValues(name);
  return values.size() == 1 ? std::string(values[0].data(), values[0].size()) : std::string();
}

std::string Value(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return "";
  return std::string(found->second.data(), found->second.size());
}

class AuthProcessor final : public grpc::AuthMetadataProcessor {
 public:
  explicit AuthProcessor(Authenticator& authenticator) : authenticator_(authenticator) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* connection,
                       OutputMetadata*, OutputMetadata*) override {
    const std::string path = Value(metadata, ":path");
    const absl::StatusOr<Caller> caller = authenticator_.Identify(*connection, metadata);
    const absl::Status status = caller.ok() ? authenticator_.Admit(*caller, path) : caller.status();
    authenticator_.CountRefusal(status, caller.ok() ? &*caller : nullptr, path);
    return ToReply(status);
  }

 private:
  Authenticator& authenticator_;
};

}  // namespace

std::string Caller::Actor(const std::string& claimed) const {
  if (!local) return name;
  return claimed.empty() ? "local" : claimed;
}

absl::Status Caller::CheckIsWorker(const std::string& worker) const {
  if (local || (role == Role::kWorker && name == worker)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "who calls is ", mozgach::Name(role), " ", name, " and may not speak for the worker ",
      Abbreviate(worker, 80), "; a worker's --name is that of its certificate"));
}

Authenticator::Authenticator(Port port, const TokenStore& tokens, const Clock& clock,
                             double calls_per_second)
    : port_(port),
      tokens_(tokens),
      clock_(clock),
      rate_(calls_per_second, calls_per_second * kBurstSeconds) {}

absl::StatusOr<Caller> Authenticator::Identify(const grpc::AuthContext& connection,
                                               const Metadata& metadata) const {
  const std::string authorization = Value(metadata, "authorization");
  if (port_ == Port::kPlaintext) {
    if (authorization.empty()) return Caller{.local = true};
    return absl::UnauthenticatedError(
        "a token came in plaintext, where others could read it: revoke it and come with TLS");
  }
  Identity identity;
  if (!authorization.empty()) {
    absl::string_view token = authorization;
    if (!absl::ConsumePrefix(&token, "Bearer ")) {
      return absl::UnauthenticatedError("authorization is 'Bearer TOKEN' here");
    }
    ASSIGN_OR_RETURN(identity, tokens_.Check({token.data(), token.size()}, clock_.Now()));
  } else {
    const std::string uri = Property(connection, GRPC_PEER_URI_PROPERTY_NAME);
    const absl::StatusOr<Identity> named = IdentityFromUri(uri);
    if (!named.ok()) {
      return absl::UnauthenticatedError(
          "neither a certificate of this fleet nor a token came with the call; `mozgachctl fleet` "
          "makes both, --tls DIR shows them");
    }
    identity = *named;
    RETURN_IF_ERROR(tokens_.CheckCertificate(identity, clock_.Now()));
  }
  return Caller{.local = false, .role = identity.role, .name = identity.name};
}

absl::StatusOr<Caller> Authenticator::CallerOf(const grpc::CallbackServerContext& context) const {
  absl::StatusOr<Caller> caller = Identify(*context.auth_context(), context.client_metadata());
  CountRefusal(caller.status(), nullptr, "");
  return caller;
}

void Authenticator::CountRefusal(const absl::Status& refusal, const Caller* caller,
                                 std::string_view path) const {
  if (refusal.ok()) return;
  const bool named = caller != nullptr && !caller->local;
  const std::string who = named ? absl::StrCat(mozgach::Name(caller->role), " ", caller->name)
                                : std::string("a caller without a name");
  const std::string method(path.substr(0, 100));
  refused_.Count(refusal, named ? mozgach::Name(caller->role) : "none",
                 method.empty() ? who : absl::StrCat(who, " of ", method), clock_.SinceBoot());
}

absl::Status Authenticator::Admit(const Caller& caller, std::string_view path) {
  RETURN_IF_ERROR(CheckMayCall(caller.role, path));
  if (rate_.Take(absl::StrCat(mozgach::Name(caller.role), "/", caller.name), clock_.SinceBoot())) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      absl::StrCat(caller.name,
                   " calls more often than calls_per_second_max of the scheduler's "
                   "configuration allows; wait a moment"));
}

std::shared_ptr<grpc::AuthMetadataProcessor> MakeAuthProcessor(Authenticator& authenticator) {
  return std::make_shared<AuthProcessor>(authenticator);
}

absl::Status CheckActor(const std::string& actor) {
  if (actor.size() > kActorBytesMax) {
    return absl::InvalidArgumentError("an actor of more than 256 bytes");
  }
  if (std::none_of(actor.begin(), actor.end(), absl::ascii_iscntrl)) return absl::OkStatus();
  return absl::InvalidArgumentError("an actor with a control character in its name");
}

}  // namespace mozgach
