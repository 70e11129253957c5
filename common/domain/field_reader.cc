#include "common/domain/field_reader.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/domain/key_synonyms.h"
#include "common/nearest_name.h"

namespace mozgach {
namespace {

// Collects the names of all fields: "training.learning_rate".
struct NameCollector {
  template <typename T>
  void Field(const char* key, const T&, const FieldRule&) {
    Later(key);
  }
  template <typename S>
  void Section(const char* key, const S& section) {
    Later(key);
    NameCollector inner{absl::StrCat(prefix, key, "."), names};
    VisitFields(section, inner);
  }
  void Later(const char* key) { names->push_back(prefix + key); }

  std::string prefix;
  std::vector<std::string>* names;
};

std::vector<std::string> AllKeys() {
  std::vector<std::string> names;
  NameCollector collector{"", &names};
  const DomainSpec spec;
  VisitFields(spec, collector);
  return names;
}

std::string WithoutSection(const std::string& name) { return name.substr(name.find('.') + 1); }

// Where else in the file `key` belongs: "training.learning_rate"; empty where nowhere.
std::string HomeOf(const std::string& key) {
  for (const std::string& name : AllKeys()) {
    if (WithoutSection(name) == key) return name;
  }
  return KeyOfOtherTool(key);
}

// What was meant by `key`, which is none of the section's keys `known`.
std::string MeantKey(const std::string& key, const std::vector<std::string>& known) {
  if (const std::string home = HomeOf(key); !home.empty()) return home;
  if (const std::string here = NearestName(key, known); !here.empty()) return here;
  // It may be misspelt and stand in the wrong section.
  std::vector<std::string> keys;
  for (const std::string& name : AllKeys()) keys.push_back(WithoutSection(name));
  const std::string elsewhere = NearestName(key, keys);
  return elsewhere.empty() ? "" : HomeOf(elsewhere);
}

}  // namespace

FieldReader::FieldReader(const SpecValue* map, std::string path, Place place, Problems* problems)
    : map_(map), path_(std::move(path)), place_(place), problems_(problems) {}

std::string FieldReader::Name(const char* key) const {
  return path_.empty() ? key : absl::StrCat(path_, ".", key);
}

const SpecValue* FieldReader::Take(const char* key, bool required) {
  known_.push_back(key);
  const SpecValue* value = map_ == nullptr ? nullptr : map_->Find(key);
  if (value != nullptr && value->kind == SpecValue::Kind::kNull) {
    if (required)
      problems_->Add(value->place, absl::StrCat(Name(key), " is required, it is empty"));
    return nullptr;
  }
  if (value == nullptr && required) {
    problems_->Add(place_, absl::StrCat(Name(key), " is missing, it is required"));
  }
  return value;
}

void FieldReader::Field(const char* key, std::variant<double, std::string>& member,
                        const FieldRule& rule) {
  const SpecValue* value = Take(key, rule.required);
  if (value != nullptr) return Read(Name(key), *value, rule, &member);
  const bool is_null = map_ != nullptr && map_->Find(key) != nullptr;
  if (is_null && rule.of_null) member = *rule.of_null;
}

const SpecValue* FieldReader::TakeSection(const char* key) {
  const SpecValue* map = Take(key, false);
  if (map == nullptr || map->kind == SpecValue::Kind::kMap) return map;
  Mismatch(Name(key), "a map of keys", *map);
  return nullptr;
}

void FieldReader::Later(const char* key) {
  const SpecValue* value = Take(key, false);
  if (value == nullptr) return;
  problems_->Add(value->place, absl::StrCat(Name(key), " is not supported yet, leave it out"));
}

void FieldReader::Finish() {
  if (map_ == nullptr) return;
  std::set<std::string> seen;
  for (const SpecValue::Entry& entry : map_->entries) {
    if (problems_->full()) return;
    if (!seen.insert(entry.key).second) {
      problems_->Add(entry.key_place, absl::StrCat("key ", Quoted(entry.key), " is there twice"));
    } else if (std::find(known_.begin(), known_.end(), entry.key) == known_.end()) {
      ReportUnknown(entry);
    }
  }
}

void FieldReader::ReportUnknown(const SpecValue::Entry& entry) {
  std::string message = absl::StrCat("unknown key ", Quoted(entry.key));
  const std::string nearest = MeantKey(entry.key, known_);
  if (nearest.empty()) {
    absl::StrAppend(&message, "; ", path_.empty() ? "a domain file" : path_, " knows ",
                    absl::StrJoin(known_, ", "));
  } else {
    absl::StrAppend(&message, ", did you mean '", nearest, "'?");
  }
  // Without lines the section says where.
  if (entry.key_place.line == 0 && !path_.empty()) message = absl::StrCat(path_, ": ", message);
  problems_->Add(entry.key_place, std::move(message));
}

}  // namespace mozgach
