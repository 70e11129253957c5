// What people mistype on a command line, told by the program that was meant.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace mozgach {

// "`mozgach-scheduler` has no flag '--lisen'; did you mean '--listen'?  `mozgach-scheduler --help`
// lists what it takes", for the first word that nothing of the command line took.
// REQUIRES: parsing `program` threw CLI::ExtrasError.
std::string AboutUnknownWord(const CLI::App& program);

}  // namespace mozgach
