#include "trainer/tokenizer/token_roles.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/json_text.h"
#include "trainer/tokenizer/text/json_object.h"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr uint64_t kRolesBytesMax = UINT64_C(64) << 20;

// Calls read() with the content of the file and adds the path to its errors. OK if the file does
// not exist.
absl::Status WithFile(const std::filesystem::path& path,
                      absl::FunctionRef<absl::Status(const JsonObject&)> read) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, kRolesBytesMax);
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  RETURN_IF_ERROR(bytes.status());
  const absl::StatusOr<json> value = ParseJson(*bytes);
  if (!value.ok()) return Annotate(value.status(), path.string());
  const absl::StatusOr<JsonObject> object = JsonObject::From(*value, "");
  return Annotate(object.ok() ? read(*object) : object.status(), path.string());
}

// {"single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": …}], "special_tokens": {"<s>": {"ids":
// [1]}}}
absl::StatusOr<std::optional<int32_t>> TemplateBos(const JsonObject& processor) {
  ASSIGN_OR_RETURN(const std::vector<JsonObject> single, processor.Objects("single"));
  std::vector<std::string> before;
  for (const JsonObject& item : single) {
    if (item.Find("SpecialToken") == nullptr) break;
    ASSIGN_OR_RETURN(const JsonObject special, item.Object("SpecialToken"));
    ASSIGN_OR_RETURN(before.emplace_back(), special.String("id"));
  }
  if (before.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const JsonObject specials, processor.Object("special_tokens"));
  ASSIGN_OR_RETURN(const JsonObject entry, specials.Object(before[0]));
  const json* ids = entry.Find("ids");
  if (before.size() > 1 || ids == nullptr || !ids->is_array() || ids->size() != 1 ||
      !(*ids)[0].is_number_unsigned()) {
    return processor.Error("single", "more than one token before the text is not supported");
  }
  return (*ids)[0].get<int32_t>();
}

absl::StatusOr<std::optional<int32_t>> ProcessorBos(const JsonObject& processor) {
  ASSIGN_OR_RETURN(const std::string type, processor.String("type"));
  if (type == "ByteLevel") return std::nullopt;
  if (type == "TemplateProcessing") return TemplateBos(processor);
  if (type != "Sequence") return processor.Unsupported("type", type);
  ASSIGN_OR_RETURN(const std::vector<JsonObject> parts, processor.Objects("processors"));
  std::optional<int32_t> bos;
  for (const JsonObject& part : parts) {
    ASSIGN_OR_RETURN(const std::optional<int32_t> found, ProcessorBos(part));
    if (bos.has_value() && found.has_value()) {
      return part.Error("type", "a second token before the text is not supported");
    }
    if (found.has_value()) bos = found;
  }
  return bos;
}

absl::StatusOr<std::optional<int32_t>> ProcessorBos(const json& post_processor, std::string where) {
  ASSIGN_OR_RETURN(const JsonObject processor, JsonObject::From(post_processor, std::move(where)));
  return ProcessorBos(processor);
}

// Returns a token's id; files on the hub have 2 and also 2.0. nullopt for null and -1, which mean
// that the token does not exist.
absl::StatusOr<std::optional<int32_t>> ReadTokenId(const JsonObject& config, const char* key,
                                                   const json& value) {
  if (value.is_null()) return std::nullopt;
  const double id = value.is_number() ? value.get<double>() : std::nan("");
  if (!(std::trunc(id) == id) || id > INT32_MAX || id < INT32_MIN) {
    return config.Error(key, "expected a token's id, or a list of them");
  }
  if (id < 0) return std::nullopt;
  return static_cast<int32_t>(id);
}

absl::Status AddStop(const JsonObject& config, const json& value, TokenRoles* roles) {
  ASSIGN_OR_RETURN(const std::optional<int32_t> known, ReadTokenId(config, "eos_token_id", value));
  if (!known.has_value()) return absl::OkStatus();
  const int32_t id = *known;
  if (std::find(roles->stop.begin(), roles->stop.end(), id) == roles->stop.end()) {
    roles->stop.push_back(id);
  }
  return absl::OkStatus();
}

// Reads eos_token_id: one id, or a list.
absl::Status AddStops(const std::filesystem::path& path, TokenRoles* roles) {
  const auto read = [roles](const JsonObject& config) -> absl::Status {
    const json* ids = config.Find("eos_token_id");
    if (ids == nullptr) return absl::OkStatus();
    if (!ids->is_array()) return AddStop(config, *ids, roles);
    for (const json& id : *ids) RETURN_IF_ERROR(AddStop(config, id, roles));
    return absl::OkStatus();
  };
  return WithFile(path, read);
}

// transformers 5 ignores add_bos_token if the base has a tokenizer.json. Without a post-processor
// the key is used here: the base was trained with the BOS that the key asks for.
absl::Status ReadAddBos(const JsonObject& config, TokenRoles* roles) {
  ASSIGN_OR_RETURN(const bool add, config.Bool("add_bos_token", false));
  if (!add) return absl::OkStatus();
  roles->bos_to_prepend = roles->bos;
  if (roles->bos.has_value()) return absl::OkStatus();
  return config.Error("add_bos_token", "is true, but bos_token is missing");
}

}  // namespace

absl::StatusOr<TokenRoles> LoadTokenRoles(const std::filesystem::path& base_dir,
                                          const json& post_processor,
                                          const DeclaredTokens& declared,
                                          const TokenLookup& lookup) {
  TokenRoles roles;
  const auto id_of = [&](const char* name) {
    const std::optional<std::string> text = declared.Text(name);
    return text.has_value() ? lookup(*text) : std::nullopt;
  };
  roles.bos = id_of("bos_token");
  roles.eos = id_of("eos_token");
  roles.pad = id_of("pad_token");
  if (!post_processor.is_null()) {
    absl::StatusOr<std::optional<int32_t>> bos = ProcessorBos(post_processor, "post_processor");
    if (!bos.ok()) return Annotate(bos.status(), (base_dir / "tokenizer.json").string());
    roles.bos_to_prepend = *bos;
  } else {
    RETURN_IF_ERROR(WithFile(base_dir / "tokenizer_config.json",
                             [&](const JsonObject& config) { return ReadAddBos(config, &roles); }));
  }
  RETURN_IF_ERROR(AddStops(base_dir / "generation_config.json", &roles));
  RETURN_IF_ERROR(AddStops(base_dir / "config.json", &roles));
  if (roles.eos.has_value() &&
      std::find(roles.stop.begin(), roles.stop.end(), *roles.eos) == roles.stop.end()) {
    roles.stop.push_back(*roles.eos);
  }
  return roles;
}

}  // namespace mozgach
