#include "trainer/chat/jinja/access.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "trainer/chat/jinja/methods.h"
#include "trainer/chat/jinja/python_attributes.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

Value MissingAttribute(const Value& object, const std::string& name) {
  return Value::Missing(absl::StrCat(KindName(object), " has no attribute '", name, "'"));
}

// Undefined, where it is in Jinja2 too.
absl::StatusOr<Value> NoAttribute(const Value& object, const std::string& name) {
  if (PythonAttributeOf(object, name) != PythonAttribute::kAvailable) {
    return MissingAttribute(object, name);
  }
  return Unsupported(absl::StrCat("the attribute '", name, "' of ", KindName(object)));
}

absl::StatusOr<Value> LoopAttribute(const Value& object, const std::string& name) {
  const Loop& loop = *object.loop();
  const std::vector<Value>& items = loop.items->items;
  const size_t index = loop.index;
  if (name == "index") return Value::OfInteger(index + 1);
  if (name == "index0") return Value::OfInteger(index);
  if (name == "revindex") return Value::OfInteger(items.size() - index);
  if (name == "revindex0") return Value::OfInteger(items.size() - index - 1);
  if (name == "first") return Value{index == 0};
  if (name == "last") return Value{index + 1 == items.size()};
  if (name == "length") return Value::OfInteger(items.size());
  // Jinja counts the levels of a recursive for only.
  if (name == "depth") return Value{int64_t{1}};
  if (name == "depth0") return Value{int64_t{0}};
  if (name == "previtem") return index > 0 ? items[index - 1] : MissingAttribute(object, name);
  if (name == "nextitem") {
    return index + 1 < items.size() ? items[index + 1] : MissingAttribute(object, name);
  }
  return NoAttribute(object, name);
}

// The place that a Python index means, none where it is out of range.
std::optional<size_t> PlaceOf(int64_t index, size_t size) {
  const auto count = static_cast<int64_t>(size);
  if (index < -count || index >= count) return std::nullopt;
  return static_cast<size_t>(index < 0 ? index + count : index);
}

// The places that begin:end:step means, as Python's slice.indices().
absl::StatusOr<std::vector<size_t>> SlicePlaces(const Value& begin, const Value& end,
                                                const Value& step, size_t size, Budget* budget) {
  for (const Value* bound : {&begin, &end, &step}) {
    if (!bound->IsNone() && !AsInteger(*bound)) {
      return Unsupported(absl::StrCat("a slice with a bound that is ", KindName(*bound)));
    }
  }
  const auto count = static_cast<int64_t>(size);
  const int64_t stride = AsInteger(step).value_or(1);
  if (stride == 0) return Unsupported("a slice whose step is 0");
  const int64_t low = stride > 0 ? 0 : -1;
  const int64_t high = stride > 0 ? count : count - 1;
  const auto clamp = [&](const Value& bound, int64_t absent) {
    const auto index = AsInteger(bound);
    if (!index) return absent;
    return *index < 0 ? std::max(low, *index + count) : std::min(high, *index);
  };
  const int64_t first = clamp(begin, stride > 0 ? low : high);
  const int64_t last = clamp(end, stride > 0 ? high : low);
  std::vector<size_t> places;
  RETURN_IF_ERROR(budget->Spend(size * sizeof(size_t)));
  for (int64_t i = first; stride > 0 ? i < last : i > last;) {
    places.push_back(static_cast<size_t>(i));
    if (__builtin_add_overflow(i, stride, &i)) break;
  }
  return places;
}

absl::StatusOr<Value> SliceText(const Text& text, const Value& begin, const Value& end,
                                const Value& step, Budget* budget) {
  RETURN_IF_ERROR(budget->Spend(text.size() * (sizeof(size_t) + 1)));
  const std::vector<size_t> offsets = CharacterOffsets(text.bytes());
  ASSIGN_OR_RETURN(const std::vector<size_t> places,
                   SlicePlaces(begin, end, step, offsets.size() - 1, budget));
  Text slice;
  for (const size_t place : places) slice.AppendRange(text, offsets[place], offsets[place + 1]);
  return Value::OfText(std::move(slice));
}

}  // namespace

absl::StatusOr<Value> GetAttribute(const Value& object, const std::string& name, Budget* budget) {
  if (object.IsUndefined() && name.starts_with("__")) {
    return Unsupported(absl::StrCat("the attribute '", name, "' of what is undefined"));
  }
  RETURN_IF_ERROR(CheckDefined(object));
  if (object.loop() != nullptr) return LoopAttribute(object, name);
  if (const auto* space = object.As<Namespace*>()) {
    RETURN_IF_ERROR(budget->Spend((*space)->entries.size()));
    const Value* value = (*space)->Find(name);
    return value == nullptr ? MissingAttribute(object, name) : *value;
  }
  if (HasMethod(object, name)) return Value{Function{"a method"}};
  if (PythonAttributeOf(object, name) == PythonAttribute::kHidden) {
    return MissingAttribute(object, name);
  }
  const bool shadowed = PythonAttributeOf(object, name) == PythonAttribute::kAvailable;
  if (const Map* map = shadowed ? nullptr : object.map()) {
    RETURN_IF_ERROR(budget->Spend(map->entries.size()));
    if (const Value* value = map->Find(name)) return *value;
  }
  return NoAttribute(object, name);
}

absl::StatusOr<Value> GetItem(const Value& object, const Value& index, Budget* budget) {
  RETURN_IF_ERROR(CheckDefined(object));
  if (const Text* name = index.text()) {
    if (const Map* map = object.map()) {
      RETURN_IF_ERROR(budget->Spend(map->entries.size()));
      if (const Value* value = map->Find(name->bytes())) return *value;
    }
    return GetAttribute(object, name->bytes(), budget);
  }
  const auto number = AsInteger(index);
  if (const List* list = object.list(); list != nullptr && !list->IsView() && number) {
    if (const auto place = PlaceOf(*number, list->items.size())) return list->items[*place];
  }
  if (const Text* text = object.text(); text != nullptr && number) {
    RETURN_IF_ERROR(budget->Spend(text->size() * sizeof(size_t)));
    const std::vector<size_t> offsets = CharacterOffsets(text->bytes());
    if (const auto place = PlaceOf(*number, offsets.size() - 1)) {
      return Value::OfText(text->Slice(offsets[*place], offsets[*place + 1]));
    }
  }
  return Value::Missing(absl::StrCat(KindName(object), " has no such item"));
}

absl::StatusOr<Value> GetSlice(const Value& object, const Value& begin, const Value& end,
                               const Value& step, Budget* budget) {
  RETURN_IF_ERROR(CheckDefined(object));
  if (const Text* text = object.text()) return SliceText(*text, begin, end, step, budget);
  const List* list = object.list();
  if (list == nullptr || list->IsView()) {
    return Unsupported(absl::StrCat("a slice of ", KindName(object)));
  }
  ASSIGN_OR_RETURN(const std::vector<size_t> places,
                   SlicePlaces(begin, end, step, list->items.size(), budget));
  std::vector<Value> items;
  for (const size_t place : places) items.push_back(list->items[place]);
  return MakeList(std::move(items), budget, list->kind);
}

absl::StatusOr<Value> GetPath(const Value& object, const Value& path, const Value& otherwise,
                              Budget* budget) {
  if (path.IsNone()) return object;
  std::vector<Value> keys = {path};
  if (const Text* text = path.text()) {
    keys.clear();
    for (const std::string& part : std::vector<std::string>(absl::StrSplit(text->bytes(), '.'))) {
      const bool digits =
          !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
      int64_t number = 0;
      keys.push_back(digits && absl::SimpleAtoi(part, &number) ? Value{number}
                                                               : Value::OfText(Text(part)));
    }
  } else if (!AsInteger(path)) {
    return absl::InvalidArgumentError("needs the name of an attribute");
  }
  Value value = object;
  for (const Value& key : keys) {
    ASSIGN_OR_RETURN(value, GetItem(value, key, budget));
    if (value.IsUndefined() && !otherwise.IsUndefined() && !otherwise.IsNone()) value = otherwise;
  }
  return value;
}

}  // namespace mozgach::jinja
