// A FieldReader fills a section of a DomainSpec from a SpecValue: a visitor of domain_fields.h.  It
// collects every problem instead of stopping at the first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/domain/domain_fields.h"
#include "common/domain/problems.h"
#include "common/domain/spec_value.h"

namespace mozgach {

class FieldReader {
 public:
  // `map` is the section, nullptr where it is absent (then only what is required is asked for);
  // `path` is its name, empty for the whole file; problems without a better place get `place`.
  FieldReader(const SpecValue* map, std::string path, Place place, Problems* problems);

  template <typename T>
  void Field(const char* key, T& member, const FieldRule& rule) {
    const SpecValue* value = Take(key, rule.required);
    if (value != nullptr) Read(Name(key), *value, rule, &member);
  }
  void Field(const char* key, std::variant<double, std::string>& member, const FieldRule& rule);

  template <typename S>
  void Section(const char* key, S& section) {
    const SpecValue* map = TakeSection(key);
    FieldReader reader(map, Name(key), map == nullptr ? place_ : map->place, problems_);
    VisitFields(section, reader);
    reader.Finish();
  }

  void Later(const char* key);

  // After all fields: reports the keys that none of them took, and those that are there twice.
  void Finish();

 private:
  std::string Name(const char* key) const;
  // The value of `key`; nullptr where it is absent or null, which is a problem of a required one.
  const SpecValue* Take(const char* key, bool required);
  const SpecValue* TakeSection(const char* key);
  void ReportUnknown(const SpecValue::Entry& entry);

  // Each sets `*member`, or reports and leaves it.
  void Read(const std::string& name, const SpecValue& value, const FieldRule&, std::string* member);
  void Read(const std::string& name, const SpecValue& value, const FieldRule&, bool* member);
  void Read(const std::string& name, const SpecValue& value, const FieldRule&, int64_t* member);
  void Read(const std::string& name, const SpecValue& value, const FieldRule&, double* member);
  void Read(const std::string& name, const SpecValue& value, const FieldRule&,
            std::variant<double, std::string>* member);
  void Read(const std::string& name, const SpecValue& value, const FieldRule&,
            std::map<std::string, std::string>* member);

  template <typename T>
  void Read(const std::string& name, const SpecValue& value, const FieldRule& rule,
            std::optional<T>* member) {
    T read = {};
    Read(name, value, rule, &read);
    *member = std::move(read);
  }

  // One value stands for a list of one.
  template <typename T>
  void Read(const std::string& name, const SpecValue& value, const FieldRule& rule,
            std::vector<T>* member) {
    if (!CheckList(name, value, rule)) return;
    member->clear();
    if (value.kind != SpecValue::Kind::kList) {
      Read(name, value, rule, &member->emplace_back());
    }
    for (const SpecValue& item : value.items) Read(name, item, rule, &member->emplace_back());
  }

  bool CheckList(const std::string& name, const SpecValue& value, const FieldRule& rule);
  bool CheckChoice(const std::string& name, const SpecValue& value, const FieldRule& rule);
  void Mismatch(const std::string& name, const char* wanted, const SpecValue& value);
  void CheckRange(const std::string& name, const SpecValue& value, const FieldRule& rule,
                  double number);

  const SpecValue* map_;
  std::string path_;
  Place place_;
  Problems* problems_;
  std::vector<std::string> known_;
};

}  // namespace mozgach
