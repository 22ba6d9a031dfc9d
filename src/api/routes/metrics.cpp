// The figures in the text format of Prometheus.
#include <array>
#include <charconv>
#include <string>

#include "api/render.h"
#include "api/route.h"

namespace hearth {
namespace {

class MetricsText {
 public:
  void head(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += "# HELP hearth_";
    out_ += name;
    out_ += ' ';
    out_ += help;
    out_ += "\n# TYPE hearth_";
    out_ += name;
    out_ += ' ';
    out_ += type;
    out_ += '\n';
  }
  void row(double value) { line("", "", value); }
  void row(std::string_view label, std::string_view text, double value) {
    line(label, text, value);
  }
  void row(std::string_view label, std::string_view text, std::uint64_t value) {
    line(label, text, static_cast<double>(value));
  }
  void single(std::string_view name, std::string_view type, std::string_view help, double value) {
    head(name, type, help);
    row(value);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void line(std::string_view label, std::string_view text, double value) {
    out_ += "hearth_";
    out_ += name_;
    if (!label.empty()) {
      out_ += '{';
      out_ += label;
      out_ += "=\"";
      for (const char c : text) {
        if (c == '\\' || c == '"') out_ += '\\';
        if (c == '\n')
          out_ += "\\n";
        else
          out_ += c;
      }
      out_ += "\"}";
    }
    out_ += ' ';
    std::array<char, 32> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    out_.append(buffer.data(), end);
    out_ += '\n';
  }

  std::string_view name_;
  std::string out_;
};

double number(std::uint64_t value) { return static_cast<double>(value); }

void add_totals(MetricsText& text, const DaemonStatus& status) {
  const Totals& totals = status.totals;
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    text.single(name, "counter", help, number(value));
  };
  counter("steps_total", "Events that the core has taken.", totals.steps);
  counter("commands_total", "Commands received.", totals.commands);
  counter("loads_total", "Loads started.", totals.loads);
  counter("preloads_total", "Loads started without a demand.", totals.preloads);
  counter("unloads_total", "Unloads started.", totals.unloads);
  counter("evictions_total", "Unloads to make room.", totals.evictions);
  counter("load_failures_total", "Loads that failed.", totals.load_failures);
  counter("exits_total", "Components that ended by themselves.", totals.exits);
  counter("uses_total", "Uses reported or proven.", totals.uses);
  counter("warm_uses_total", "Uses of a component that was ready.", totals.warm_uses);
  counter("refusals_total", "Requests refused.", totals.refusals);
  counter("objectives_met_total", "Waits within the objective of the priority.",
          totals.objectives_met);
  counter("objectives_missed_total", "Waits beyond it.", totals.objectives_missed);
}

void add_daemon(MetricsText& text, const DaemonStatus& status) {
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    text.single(name, "gauge", help, value);
  };
  text.head("info", "gauge", "The daemon that runs.");
  text.row("version", status.version, 1.0);
  gauge("pressure_level", "0 low to 4 emergency.", static_cast<double>(status.pressure));
  if (status.available < Bytes::unlimited()) {
    gauge("available_bytes", "MemAvailable less the reserve.", number(status.available.count));
  }
  gauge("daemon_resident_bytes", "Resident memory of the daemon.", number(status.daemon_rss.count));
  gauge("requests_waiting", "Requests without an answer yet.", number(status.waiting));
  gauge("event_queue_length", "Events not yet taken.", number(status.event_queue));
  gauge("leases", "Leases held.", number(status.leases.size()));
  gauge("troubles", "What a person should look at.", number(status.troubles.size()));
  text.head("budget_bytes", "gauge", "Budgets by name.");
  for (const BudgetRow& row : status.budgets) {
    if (row.budget < Bytes::unlimited()) text.row("budget", row.name, row.budget.count);
  }
  text.head("budget_used_bytes", "gauge", "What is reserved in each.");
  for (const BudgetRow& row : status.budgets) text.row("budget", row.name, row.used.count);
  const StateCounts counts = count_states(status);
  text.head("components", "gauge", "Components by state.");
  text.row("state", "ready", counts.ready);
  text.row("state", "loading", counts.loading);
  text.row("state", "unloaded", counts.unloaded);
  text.row("state", "failed", counts.failed);
}

template <class Figure>
void add_each(MetricsText& text, const DaemonStatus& status, std::string_view name,
              std::string_view type, std::string_view help, Figure figure) {
  text.head(name, type, help);
  for (const ComponentRow& row : status.components) {
    if (is_shown(row)) text.row("component", row.name, static_cast<double>(figure(row)));
  }
}

void add_components(MetricsText& text, const DaemonStatus& status) {
  add_each(text, status, "component_ready", "gauge", "1 when ready.",
           [](const ComponentRow& row) { return row.view.state == State::ready ? 1 : 0; });
  add_each(text, status, "component_pss_bytes", "gauge", "Its share of memory, last sample.",
           [](const ComponentRow& row) {
             return is_resident(row.view.state) ? row.memory.pss.count : 0;
           });
  add_each(text, status, "component_reserved_bytes", "gauge", "Held in the ledger.",
           [](const ComponentRow& row) { return row.view.reserved.count; });
  add_each(text, status, "component_load_seconds", "gauge", "Learnt load time.",
           [](const ComponentRow& row) { return seconds(row.view.load_time); });
  add_each(text, status, "component_leases", "gauge", "Leases on it.",
           [](const ComponentRow& row) { return row.view.leases; });
  add_each(text, status, "component_loads_total", "counter", "Loads.",
           [](const ComponentRow& row) { return row.view.loads; });
  add_each(text, status, "component_unloads_total", "counter", "Unloads.",
           [](const ComponentRow& row) { return row.view.unloads; });
  add_each(text, status, "component_failures_total", "counter", "Failed loads and exits.",
           [](const ComponentRow& row) { return row.view.failures; });
  add_each(text, status, "component_uses_total", "counter", "Uses.",
           [](const ComponentRow& row) { return row.view.uses; });
}

void metrics(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    MetricsText text;
    add_daemon(text, status);
    add_totals(text, status);
    add_components(text, status);
    x.reply({.status = 200,
             .body = text.take(),
             .content_type = "text/plain; version=0.0.4; charset=utf-8"});
  }));
}

constexpr Route routes[] = {
    {Method::get,
     "/metrics",
     "The same figures for Prometheus.",
     metrics,
     {},
     {},
     {},
     "text/plain; version=0.0.4; charset=utf-8"},
};

}  // namespace

extern const RouteGroup route_group_metrics;
const RouteGroup route_group_metrics{.routes = routes};

}  // namespace hearth
