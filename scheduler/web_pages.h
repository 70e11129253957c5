// What the scheduler shows a browser and a monitor: /metrics, /health and a front page.
#pragma once

#include "scheduler/front_desk.h"
#include "scheduler/web_server.h"

namespace mozgach {

//   /         jobs by state, workers, and where to look further
//   /health   {"status": "ok"}, or 503 with the reason while the scheduler cannot write
//   /metrics  for Prometheus
// The desk outlives them.
WebPages PagesOf(FrontDesk& desk);

}  // namespace mozgach
