// Figures in the text format of Prometheus (0.0.4) or of OpenMetrics (1.0.0).
//
// Contract   family() begins a family, and what follows it are its samples; names are given
//            without `hearth_`, those of counters with `_total`. Samples stand in the order in
//            which they are given. A label's value may be any text: it is escaped, and what is not
//            UTF-8 in it is replaced. finish() is called once, last.
//            A `capped` family of components gives the first `own_series_max` of them series of
//            their own; the sum of the others stands under `component="_other"`, which no
//            component can be called.
// Threads    thread-compatible.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/histogram.h"

namespace hearth {

enum class MetricsFormat : unsigned char { prometheus, openmetrics };

// What a scraper prefers, by its Accept.
[[nodiscard]] MetricsFormat metrics_format_of(std::string_view accept);
[[nodiscard]] std::string_view content_type_of(MetricsFormat format);

enum class MetricKind : unsigned char { counter, gauge, histogram, info };

class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  static constexpr std::size_t own_series_max = 200;
  static constexpr std::string_view other_component = "_other";

  explicit MetricsText(MetricsFormat format) : format_(format) {}

  void family(std::string_view name, MetricKind kind, std::string_view help);
  template <std::unsigned_integral Whole>
  void sample(Labels labels, Whole value) {
    begin_line("", labels);
    whole(value);
  }
  void sample(Labels labels, double value);
  void sample(Labels labels, const HistogramFigures& figures);

  // A family of one sample.
  template <class Value>
  void single(std::string_view name, MetricKind kind, std::string_view help, Value value) {
    family(name, kind, help);
    sample({}, value);
  }

  [[nodiscard]] std::string finish();

 private:
  void begin_line(std::string_view suffix, Labels labels, std::string_view bound = {});
  void label(std::string_view name, std::string_view value, bool is_first);
  void whole(std::uint64_t value);
  void number(double value);

  MetricsFormat format_;
  std::string name_;  // of the samples of the family
  std::string out_;
};

}  // namespace hearth
