// ChatFacts of the contract from what was found on disk.
#pragma once

#include "common/base/chat_report.h"
#include "mozgach/v1/worker_service.pb.h"

namespace mozgach {

v1::ChatFacts ToChatFacts(const ChatReport& report);

}  // namespace mozgach
