// A base key is what a job asks for and a worker offers: the name of a base, or "name@revision".
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "mozgach/v1/worker_service.pb.h"

namespace mozgach {

// "name", or "name@revision" if `revision` is not empty.
std::string BaseKey(const std::string& base, const std::string& revision);

// The name of the base in a key.
std::string BaseOf(const std::string& base_key);

// Every key that a worker with `bases` offers: each name, and each of its revisions. Bases with a
// problem are left out.
std::vector<std::string> OfferedKeys(const std::vector<v1::Base>& bases);

}  // namespace mozgach
