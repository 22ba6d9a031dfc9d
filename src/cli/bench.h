// This machine's figures, measured: what `hearth bench` prints.
//
// Contract   every figure is measured here and now; nothing is assumed. The whole takes under a
//            minute. bench_daemon() starts a daemon of its own, on a folder of its own, and ends
//            it.
// Errors     io, unavailable: the daemon could not be started; the detail says why.
// Threads    one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace hearth {

struct BenchFigure {
  std::string name;
  std::size_t count = 0;  // of measurements
  double median_us = 0;
  double p99_us = 0;
};

// Of samples in nanoseconds.
[[nodiscard]] BenchFigure figure_of(std::string name, std::vector<double> samples);

[[nodiscard]] std::vector<BenchFigure> bench_engine(std::size_t components, std::size_t rounds);
[[nodiscard]] Result<std::vector<BenchFigure>> bench_daemon(const std::string& program);

}  // namespace hearth
