// How every program reads its command line, and what it says when that is wrong.
#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string>

namespace mozgach {

// Parses the command line into the options of `program`, after all of them have been defined.  An
// empty value (`--tls ''`, `--tls=`, an empty positional argument) is an error everywhere: it comes
// from a variable that was not set, and would pass for "not given".  Options of `may_be_empty` are
// excepted.  An environment variable that is empty counts as not set.
// Throws what CLI::App::parse throws.
void ParseCommandLine(CLI::App& program, int argc, const char* const* argv,
                      const std::set<std::string>& may_be_empty = {});

// One sentence about a command line that is wrong, with what to do; control characters are escaped.
// REQUIRES: ParseCommandLine threw `error`, which is not a CLI::Success.
std::string AboutCommandLine(const CLI::App& program, const CLI::ParseError& error);

// "`mozgach-scheduler` has no flag '--lisen'; did you mean '--listen'?  `mozgach-scheduler --help`
// lists what it takes", for the first word that nothing of the command line took.
// REQUIRES: parsing `program` threw CLI::ExtrasError.
std::string AboutUnknownWord(const CLI::App& program);

}  // namespace mozgach
