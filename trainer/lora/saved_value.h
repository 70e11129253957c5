// Stores a C++ value in an autograd context, from forward to backward.
#pragma once

#include <ATen/core/ivalue.h>

#include <memory>
#include <utility>

namespace mozgach {

template <typename T>
struct SavedValue : torch::CustomClassHolder {
  explicit SavedValue(T v) : value(std::move(v)) {}
  T value;
};

template <typename T>
c10::IValue SaveValue(T value) {
  return c10::IValue::make_capsule(c10::make_intrusive<SavedValue<T>>(std::move(value)));
}

template <typename T>
const T& SavedValueOf(const c10::IValue& saved) {
  return static_cast<const SavedValue<T>*>(saved.toCapsule().get())->value;
}

}  // namespace mozgach
