#include "common/domain/domain_spec.h"

#include <algorithm>

#include "common/digest.h"
#include "common/domain/domain_checks.h"
#include "common/domain/domain_fields.h"
#include "common/domain/field_reader.h"
#include "common/domain/spec_value.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using nlohmann::json;

json Write(int64_t number) { return number; }
json Write(double number) { return number; }
json Write(bool value) { return value; }
json Write(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }
json Write(const std::map<std::string, std::string>& texts) { return json(texts); }
json Write(const std::variant<double, std::string>& value) {
  return std::visit([](const auto& held) { return Write(held); }, value);
}
template <typename T>
json Write(const std::vector<T>& values) {
  return json(values);
}
template <typename T>
json Write(const std::optional<T>& value) {
  return value ? Write(*value) : json(nullptr);
}

// Visitors of domain_fields.h.
struct JsonWriter {
  template <typename T>
  void Field(const char* key, const T& member, const FieldRule&) {
    object[key] = Write(member);
  }
  template <typename S>
  void Section(const char* key, const S& section) {
    JsonWriter inner;
    VisitFields(section, inner);
    object[key] = std::move(inner.object);
  }
  void Later(const char*) {}

  json object = json::object();
};

// Only what is part of the digest; of a validation file, only that there is one.
struct DigestWriter {
  template <typename T>
  void Field(const char* key, const T& member, const FieldRule& rule) {
    if (rule.in_digest) object[key] = Write(member);
  }
  void Field(const char* key, const std::variant<double, std::string>& member, const FieldRule&) {
    object[key] = std::holds_alternative<double>(member) ? Write(member) : json("file");
  }
  // A spec without it keeps the digest that it had before there was such a section.
  void Section(const char* key, const RopeScalingSpec& section) {
    if (!section.rope_type.empty()) Section<RopeScalingSpec>(key, section);
  }
  template <typename S>
  void Section(const char* key, const S& section) {
    DigestWriter inner;
    VisitFields(section, inner);
    object[key] = std::move(inner.object);
  }
  void Later(const char*) {}

  json object = json::object();
};

// One or more parts of [A-Za-z0-9._-]+, joined by '/', none of which starts with '.' or '-'.
bool IsPathOfNames(const std::string& text, int most_parts) {
  if (text.empty() || text.size() > 200) return false;
  int parts = 1;
  bool at_start = true;
  for (const char c : text) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == '/') {
      if (at_start || ++parts > most_parts) return false;
    } else if (!alphanumeric && c != '_' && (at_start || (c != '.' && c != '-'))) {
      return false;
    }
    at_start = c == '/';
  }
  return !at_start;
}

}  // namespace

json ToJson(const DomainSpec& spec) {
  JsonWriter writer;
  VisitFields(spec, writer);
  return std::move(writer.object);
}

absl::StatusOr<DomainSpec> DomainSpecFromJson(const json& json) {
  ASSIGN_OR_RETURN(const SpecValue root, SpecValueFromJson(json));
  if (root.kind != SpecValue::Kind::kMap) {
    return absl::InvalidArgumentError("a spec must be a JSON object");
  }
  Problems problems;
  DomainSpec spec;
  FieldReader reader(&root, "", {}, &problems);
  VisitFields(spec, reader);
  reader.Finish();
  if (problems.empty()) CheckDomain(spec, root, &problems);
  RETURN_IF_ERROR(problems.ToStatus(""));
  return spec;
}

std::string SpecDigest(const DomainSpec& spec) {
  DigestWriter writer;
  VisitFields(spec, writer);
  return Sha256Hex(writer.object.dump());
}

bool IsDomainName(const std::string& text) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && alphanumeric(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [&alphanumeric](char c) { return alphanumeric(c) || c == '_' || c == '-'; });
}

bool IsBaseName(const std::string& text) { return IsPathOfNames(text, 2); }

bool IsRevision(const std::string& text) { return IsPathOfNames(text, 16); }

bool IsTimeLimit(const std::string& text) { return ParseDuration(text).ok(); }

Milliseconds DomainSpec::TimeLimit() const {
  return ParseDuration(time_limit).value_or(Milliseconds(0));
}

}  // namespace mozgach
