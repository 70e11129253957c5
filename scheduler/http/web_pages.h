// What the scheduler shows a browser and a monitor: /metrics, /health and a front page.
#pragma once

#include "common/web/web_server.h"
#include "scheduler/access/refused_calls.h"
#include "scheduler/executor/core_executor.h"

namespace mozgach {

//   /         jobs by state, workers, and where to look further
//   /health   {"status": "ok"}, or 503 with the reason while the scheduler cannot write
//   /metrics  for Prometheus
// Both outlive them.
WebPages PagesOf(CoreExecutor& executor, const RefusedCalls& refused);

}  // namespace mozgach
