// The log of a program: one line per event on stderr, so that stdout stays for results.
#pragma once

#include <spdlog/spdlog.h>

#include "common/log_line.h"  // StartLog(), LogActivity()
