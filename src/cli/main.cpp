// `hearth`: the daemon and its command line in one program.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "cli/app.h"
#include "runtime/supervise.h"

namespace {

std::optional<std::string> from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

bool has_colour() {
  if (::isatty(STDOUT_FILENO) == 0) return false;
  if (!from_environment("NO_COLOR").value_or("").empty()) return false;
  return from_environment("TERM").value_or("dumb") != "dumb";
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything else: every component waits for this path.
  if (argc > 1 && std::string_view{argv[1]} == "supervise") {
    return hearth::supervise_main(argc - 1, argv + 1);
  }
  const hearth::Streams streams{.out = std::cout,
                                .err = std::cerr,
                                .environment = from_environment,
                                .is_terminal = ::isatty(STDOUT_FILENO) == 1,
                                .has_colour = has_colour(),
                                .width = terminal_width()};
  return hearth::run_command_line(std::vector<std::string>(argv + 1, argv + argc), streams);
}
