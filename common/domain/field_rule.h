// A FieldRule is what a field of the domain file permits: one row of the table in domain_fields.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mozgach {

struct FieldRule {
  bool required = false;
  // Bounds of a number, or of each number of a list. `above` and `below` exclude the bound itself.
  std::optional<double> least;
  std::optional<double> most;
  bool above = false;
  bool below = false;
  // Allowed values of a text, or of each text of a list, and values that a later version will
  // allow.
  std::vector<std::string_view> one_of;
  std::vector<std::string_view> later;
  // Only an empty list is supported yet.
  bool empty_only = false;
  // What an explicit null of a number or text stands for. nullopt: the default.
  std::optional<double> of_null;
  // The form of a text, as a test and in words ("a hub name like google/gemma-3-4b-it").
  bool (*valid)(const std::string&) = nullptr;
  const char* form = nullptr;
  // False: does not enter SpecDigest.
  bool in_digest = true;
};

// "from 1 to 4096", "above 0 and at most 10", "at least 1".
std::string RangeOf(const FieldRule& rule);
bool InRange(const FieldRule& rule, double number);

// "auto, alpaca or text".
std::string ListOf(const std::vector<std::string_view>& names);

}  // namespace mozgach
