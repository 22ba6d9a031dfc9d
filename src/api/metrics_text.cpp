#include "api/metrics_text.h"

#include <array>
#include <charconv>
#include <optional>

namespace hearth {
namespace {

constexpr std::string_view openmetrics_type = "application/openmetrics-text";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// The text before `mark`, which goes from `rest` with it.
std::string_view cut(std::string_view& rest, char mark) {
  const std::size_t at = std::min(rest.find(mark), rest.size());
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return trimmed(part);
}

bool is_same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

struct Accepted {
  std::string_view type;
  double weight = 1;
  bool is_version_known = true;  // of OpenMetrics: 1.0.0, or not said
};

Accepted accepted_of(std::string_view range) {
  Accepted accepted{.type = cut(range, ';')};
  while (!range.empty()) {
    std::string_view value = cut(range, ';');
    const std::string_view name = cut(value, '=');
    if (is_same(name, "q")) {
      double weight = 0;
      (void)std::from_chars(value.data(), value.data() + value.size(), weight);
      accepted.weight = weight;
    } else if (is_same(name, "version")) {
      accepted.is_version_known = value.starts_with("1.");
    }
  }
  return accepted;
}

std::string_view name_of(MetricKind kind, MetricsFormat format) {
  switch (kind) {
    case MetricKind::counter:
      return "counter";
    case MetricKind::gauge:
      return "gauge";
    case MetricKind::histogram:
      return "histogram";
    case MetricKind::info:
      return format == MetricsFormat::openmetrics ? "info" : "gauge";
  }
  return "unknown";
}

// How many bytes of a character of UTF-8 `text` begins with; 0: none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  const std::size_t size = first < 0x80   ? 1U
                           : first < 0xC2 ? 0U
                           : first < 0xE0 ? 2U
                           : first < 0xF0 ? 3U
                           : first < 0xF5 ? 4U
                                          : 0U;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return 0;
  }
  const bool is_overlong = (first == 0xE0 && at(1) < 0xA0) || (first == 0xF0 && at(1) < 0x90);
  const bool is_no_scalar = (first == 0xED && at(1) >= 0xA0) || (first == 0xF4 && at(1) >= 0x90);
  return is_overlong || is_no_scalar ? 0 : size;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_length(text);
    if (size == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD
    } else if (text[0] == '\n') {
      out += "\\n";
    } else {
      if (text[0] == '\\' || text[0] == '"') out += '\\';
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
}

// As Go writes it ("1e-05", "0.25", "10.0"), which is what OpenMetrics wants of a bound, so that
// both formats give one series.
std::string bound_text(Duration bound) {
  std::array<char, 32> buffer;
  const double value = static_cast<double>(bound.count()) / 1e9;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general)
          .ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

MetricsFormat metrics_format_of(std::string_view accept) {
  double openmetrics = 0;
  double plain = 0;
  while (!accept.empty()) {
    const Accepted accepted = accepted_of(cut(accept, ','));
    double& weight = is_same(accepted.type, openmetrics_type) ? openmetrics : plain;
    if (&weight == &plain && !is_same(accepted.type, "text/plain")) continue;
    if (accepted.is_version_known || &weight == &plain) weight = std::max(weight, accepted.weight);
  }
  const bool is_wanted = openmetrics > 0 && openmetrics >= plain;
  return is_wanted ? MetricsFormat::openmetrics : MetricsFormat::prometheus;
}

std::string_view content_type_of(MetricsFormat format) {
  return format == MetricsFormat::openmetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

void MetricsText::family(std::string_view name, MetricKind kind, std::string_view help) {
  name_ = "hearth_" + std::string(name);
  std::string_view told = name_;
  const bool is_openmetrics = format_ == MetricsFormat::openmetrics;
  if (is_openmetrics && kind == MetricKind::counter) told.remove_suffix(6);  // _total
  if (is_openmetrics && kind == MetricKind::info) told.remove_suffix(5);     // _info
  const auto line = [&](std::string_view what, std::string_view text) {
    out_ += what;
    out_ += told;
    out_ += ' ';
    out_ += text;
    out_ += '\n';
  };
  line("# HELP ", help);
  line("# TYPE ", name_of(kind, format_));
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (is_openmetrics && told.ends_with("_" + std::string(unit))) line("# UNIT ", unit);
  }
}

void MetricsText::begin_line(std::string_view suffix, Labels labels, std::string_view bound) {
  out_ += name_;
  out_ += suffix;
  bool is_first = true;
  for (const auto& [name, value] : labels) {
    label(name, value, is_first);
    is_first = false;
  }
  if (!bound.empty()) {
    label("le", bound, is_first);
    is_first = false;
  }
  out_ += is_first ? " " : "} ";
}

void MetricsText::label(std::string_view name, std::string_view value, bool is_first) {
  out_ += is_first ? '{' : ',';
  out_ += name;
  out_ += "=\"";
  append_escaped(out_, value);
  out_ += '"';
}

void MetricsText::whole(std::uint64_t value) { out_ += std::to_string(value) + '\n'; }

void MetricsText::number(double value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out_.append(buffer.data(), end);
  out_ += '\n';
}

void MetricsText::sample(Labels labels, double value) {
  begin_line("", labels);
  number(value);
}

void MetricsText::sample(Labels labels, const HistogramFigures& figures) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < figures.bounds.size(); ++i) {
    below += figures.counts.at(i);
    begin_line("_bucket", labels, bound_text(figures.bounds[i]));
    whole(below);
  }
  begin_line("_bucket", labels, "+Inf");
  whole(figures.count());
  begin_line("_sum", labels);
  number(static_cast<double>(figures.sum_ns) / 1e9);
  begin_line("_count", labels);
  whole(figures.count());
}

std::string MetricsText::finish() {
  if (format_ == MetricsFormat::openmetrics) out_ += "# EOF\n";
  return std::move(out_);
}

}  // namespace hearth
