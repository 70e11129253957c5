// What the scheduler does with ChatFacts: stores them as JSON, checks them, and says them in words.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "mozgach/v1/worker_service.pb.h"
#include "nlohmann/json_fwd.hpp"

namespace mozgach {

// INVALID_ARGUMENT if a caller's facts are longer than is stored.
absl::Status CheckChatFacts(const v1::ChatFacts& facts);

nlohmann::json ChatFactsJson(const v1::ChatFacts& facts);
// Facts that cannot be read are as if nothing was known: false.
bool ReadChatFacts(const nlohmann::json& json, v1::ChatFacts* facts);

bool SameChatFacts(const v1::ChatFacts& a, const v1::ChatFacts& b);

// Sentences about conversations on `base`, as notices. None if the template does its work.
std::vector<std::string> ChatSentences(const std::string& base, const v1::ChatFacts& facts);

}  // namespace mozgach
