// From the JSON object of one line to a Row, one function per format (see dataset.h for the
// formats).
#pragma once

#include "common/dataset/dataset.h"
#include "common/status.h"
#include "nlohmann/json.hpp"

namespace mozgach {

// The format that the keys of `object` tell; keys with empty values count only if no others tell. A
// key that is there alone ('output' without 'instruction') tells too, so that the error speaks of
// the format that was meant.
absl::StatusOr<RowFormat> FormatByKeys(const nlohmann::json& object);

// REQUIRES: `object` is an object, `format` is not kAuto.  Counts unknown keys in `unknown`, if
// given.
absl::StatusOr<Row> RowFromJson(const nlohmann::json& object, RowFormat format,
                                UnknownKeys* unknown);

}  // namespace mozgach
