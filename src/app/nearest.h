// "Did you mean …?" for misspelt commands and flags.
#pragma once

#include <string>

#include <CLI/App.hpp>

namespace rf::app {

/// The known command or flag that is closest to the first unknown word of the command line, or "" if none is close.
std::string NearestName(const CLI::App& root, int argc, char** argv);

}  // namespace rf::app
