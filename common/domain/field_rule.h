// A FieldRule is what a field of the domain file permits: one row of the table in domain_fields.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mozgach {

struct FieldRule {
  bool required = false;
  // Of a number, or of each number of a list.  `above`/`below`: the bound itself is out.
  std::optional<double> least;
  std::optional<double> most;
  bool above = false;
  bool below = false;
  // Of a text, or of each text of a list: what it may be, and what a later version will take.
  std::vector<std::string_view> one_of;
  std::vector<std::string_view> later;
  // Of a list: only the empty one is supported yet.
  bool empty_only = false;
  // Of a number or text: what an explicit null stands for. Nothing: the default.
  std::optional<double> of_null;
  // Of a text: its form, as a test and in words ("a hub name like google/gemma-3-4b-it").
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
