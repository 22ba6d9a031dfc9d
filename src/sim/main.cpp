#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "sim/command.h"

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  return hearth::sim::sim_main(args, std::cout);
}
