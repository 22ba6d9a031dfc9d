// The figures for Prometheus. docs/metrics.md says what each of them means.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "api/metrics_text.h"
#include "api/render.h"
#include "api/route.h"

namespace hearth {
namespace {

using enum MetricKind;

// Told from the start, so that their first increase is seen as one.
constexpr std::array refusal_reasons{Reason::memory,
                                     Reason::machine,
                                     Reason::pool,
                                     Reason::device,
                                     Reason::conflict,
                                     Reason::pressure,
                                     Reason::leased,
                                     Reason::pin,
                                     Reason::core,
                                     Reason::timed_out,
                                     Reason::load_failed,
                                     Reason::too_large,
                                     Reason::pool_too_small,
                                     Reason::device_too_small,
                                     Reason::conflicting_set,
                                     Reason::outranked,
                                     Reason::queue_full,
                                     Reason::shutting_down,
                                     Reason::unknown_component,
                                     Reason::unknown_lease,
                                     Reason::unknown_command};

void add_totals(MetricsText& text, const DaemonStatus& status) {
  const Totals& totals = status.totals;
  const auto total = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    text.single(name, counter, help, value);
  };
  total("steps_total", "Events that the core has taken.", totals.steps);
  total("commands_total", "Commands received.", totals.commands);
  total("loads_total", "Loads started.", totals.loads);
  total("load_failures_total", "Loads that failed or took too long.", totals.load_failures);
  total("hibernations_total", "Components that hibernated.", totals.hibernations);
  total("resumes_total", "Components that came back from hibernation.", totals.resumes);
  total("resume_failures_total", "Those that did not.", totals.resume_failures);
  total("preloads_total", "Loads started without a demand.", totals.preloads);
  total("preloads_wasted_total", "Preloads that ended before a use.",
        status.measures.preloads_wasted);
  total("unloads_total", "Components that are gone: unloaded, or ended by themselves.",
        totals.unloads);
  total("evictions_total", "Unloads decided to make room.", totals.evictions);
  total("exits_total", "Components that ended by themselves.", totals.exits);
  total("uses_total", "Uses reported or proven.", totals.uses);
  total("warm_uses_total", "Uses of a component that was ready: cache hits.", totals.warm_uses);
  total("cold_uses_total", "Uses of a component that was not ready: cache misses.",
        totals.uses - std::min(totals.uses, totals.warm_uses));
  total("objectives_met_total", "Waits within the objective of the priority.",
        totals.objectives_met);
  total("objectives_missed_total", "Waits beyond it.", totals.objectives_missed);
}

void add_refusals(MetricsText& text, const MeasureFigures& measures) {
  text.family("refusals_total", counter, "Requests refused.");
  for (std::size_t i = 0; i < measures.refusals.size(); ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::uint64_t count = measures.refusals.at(i);
    // Without a reason of the core's it was the journal, which could not be written.
    if (reason == Reason::none) {
      text.sample({{"reason", "journal"}}, count);
    } else if (count > 0 || std::ranges::find(refusal_reasons, reason) != refusal_reasons.end()) {
      text.sample({{"reason", name_of(reason)}}, count);
    }
  }
}

void add_histograms(MetricsText& text, const MeasureFigures& measures) {
  text.family("wait_seconds", histogram, "From a request to all its components ready.");
  for (std::size_t i = 0; i < measures.waits.warm.size(); ++i) {
    const std::string_view priority = name_of(static_cast<Priority>(i));
    text.sample({{"state", "warm"}, {"priority", priority}}, measures.waits.warm.at(i));
    text.sample({{"state", "cold"}, {"priority", priority}}, measures.waits.cold.at(i));
  }
  text.single("queue_seconds", histogram,
              "From a request that found a component cold to the first load that began for it.",
              measures.queueing);
  text.single("load_seconds", histogram, "From the start of a load to ready.", measures.loads);
  text.single("step_seconds", histogram, "Time that the core took for one event.", measures.steps);
  text.family("eviction_age_seconds", histogram,
              "Since an evicted component was last used or loaded.");
  for (std::size_t i = 0; i < eviction_reasons.size(); ++i) {
    text.sample({{"reason", name_of(eviction_reasons.at(i))}}, measures.eviction_ages.at(i));
  }
}

void add_budgets(MetricsText& text, const DaemonStatus& status) {
  const auto each = [&](std::string_view name, std::string_view help, auto figure) {
    text.family(name, gauge, help);
    for (const BudgetRow& row : status.budgets) {
      const std::optional<Bytes> value = figure(row);
      if (!value || *value >= Bytes::unlimited()) continue;
      text.sample({{"budget", row.name}, {"kind", row.is_pool ? "pool" : "resource"}},
                  value->count);
    }
  };
  each("budget_bytes", "What components may hold together.",
       [](const BudgetRow& row) { return std::optional{row.budget}; });
  each("budget_used_bytes", "What is reserved of it in the ledger.",
       [](const BudgetRow& row) { return std::optional{row.used}; });
  each("budget_measured_bytes", "What components hold of it by the last sample.",
       [](const BudgetRow& row) { return row.measured; });
}

// Of pools only.
void add_pools(MetricsText& text, const DaemonStatus& status) {
  const auto each = [&](std::string_view name, std::string_view help, auto figure) {
    text.family(name, gauge, help);
    for (const BudgetRow& row : status.budgets) {
      if (row.is_pool) text.sample({{"pool", row.name}}, figure(row).count);
    }
  };
  each("pool_borrowed_bytes", "What a soft pool has above its size.",
       [](const BudgetRow& row) { return row.borrowed; });
  each("pool_lent_bytes", "What others have of a pool's size.",
       [](const BudgetRow& row) { return row.lent; });
}

void add_daemon(MetricsText& text, const DaemonStatus& status) {
  text.family("info", info, "The daemon that runs.");
  text.sample({{"version", status.version}, {"policy", status.policy}}, 1U);
  const auto now = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    text.single(name, gauge, help, value);
  };
  text.single("start_time_seconds", gauge, "When the daemon was started, in seconds since 1970.",
              static_cast<double>(status.started_unix_ms) / 1e3);
  now("pressure_level", "0 low, 1 medium, 2 high, 3 critical, 4 emergency.",
      static_cast<std::uint64_t>(status.pressure));
  now("saves_power", "1 while the battery is low and nothing is loaded ahead.",
      static_cast<std::uint64_t>(status.saves_power));
  if (status.available < Bytes::unlimited()) {
    now("available_bytes", "MemAvailable less the reserve.", status.available.count);
  }
  const PressureFigures& figures = status.figures;
  text.single("stall_share", gauge, "Share of the time in which some program waits for memory.",
              figures.stall_share);
  now("swap_bytes_per_second", "Traffic with the swap, in and out.", figures.swap_rate.count);
  now("budget_withheld_bytes", "Of the budget of ram: in use by other programs.",
      figures.withheld.count);
  text.single("pressure_next_level_seconds", gauge,
              "As things go, the next level of pressure begins after so long; 600: not in sight.",
              figures.forecast ? seconds(figures.forecast->in) : 600.0);
  now("daemon_resident_bytes", "Resident memory of the daemon.", status.daemon_rss.count);
  now("requests_waiting", "Requests without an answer yet.", status.waiting);
  now("event_queue_length", "Events not yet taken.", status.event_queue);
  now("leases", "Leases held.", status.leases.size());
  now("troubles", "What a person should look at.", status.troubles.size());
  const StateCounts counts = count_states(status);
  text.family("components", gauge, "Components by state.");
  text.sample({{"state", "ready"}}, counts.ready);
  text.sample({{"state", "loading"}}, counts.loading);
  text.sample({{"state", "unloaded"}}, counts.unloaded);
  text.sample({{"state", "failed"}}, counts.failed);
}

void add_gateway(MetricsText& text, const GatewayCounts& counts) {
  text.family("gateway_requests_total", counter, "Requests for components, by how they ended.");
  for (std::size_t i = 0; i < counts.ended.size(); ++i) {
    text.sample({{"outcome", gateway_outcome_names.at(i)}}, counts.ended.at(i));
  }
  text.single("gateway_requests_in_flight", gauge, "Requests for components, not ended yet.",
              counts.in_flight);
}

using Rows = std::vector<const ComponentRow*>;

// One series a component, and the sum of those beyond the cap.
template <class Figure>
void add_each(MetricsText& text, const Rows& rows, std::string_view name, MetricKind kind,
              std::string_view help, Figure figure) {
  text.family(name, kind, help);
  std::uint64_t others = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto value = static_cast<std::uint64_t>(figure(*rows[i]));
    if (i < MetricsText::own_series_max) {
      text.sample({{"component", rows[i]->name}}, value);
    } else {
      others += value;
    }
  }
  if (rows.size() > MetricsText::own_series_max) {
    text.sample({{"component", MetricsText::other_component}}, others);
  }
}

// Only the state that it is in has a series: ten for each component would be too many.
void add_states(MetricsText& text, const Rows& rows) {
  text.family("component_state", gauge, "1 for the state that a component is in.");
  std::array<std::uint64_t, limit_of(State{})> others{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const State state = rows[i]->view.state;
    if (i < MetricsText::own_series_max) {
      text.sample({{"component", rows[i]->name}, {"state", name_of(state)}}, 1U);
    } else {
      ++others.at(static_cast<std::size_t>(state));
    }
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (others.at(i) == 0) continue;
    text.sample(
        {{"component", MetricsText::other_component}, {"state", name_of(static_cast<State>(i))}},
        others.at(i));
  }
}

// A sum of load times would say nothing: those beyond the cap have none.
void add_load_times(MetricsText& text, const Rows& rows) {
  text.family("component_load_seconds", gauge, "Learnt load time.");
  for (std::size_t i = 0; i < std::min(rows.size(), MetricsText::own_series_max); ++i) {
    text.sample({{"component", rows[i]->name}}, seconds(rows[i]->view.load_time));
  }
}

void add_components(MetricsText& text, const DaemonStatus& status) {
  Rows rows;
  for (const ComponentRow& row : status.components) {
    if (is_shown(row)) rows.push_back(&row);
  }
  using Row = const ComponentRow&;
  const auto held = [](Row row, Bytes bytes) {
    return is_resident(row.view.state) ? bytes.count : 0;
  };
  add_states(text, rows);
  add_each(text, rows, "component_ready", gauge, "1 when ready.",
           [](Row row) { return row.view.state == State::ready ? 1 : 0; });
  add_each(text, rows, "component_pss_bytes", gauge,
           "Resident memory, its share of what is shared, by the last sample.",
           [&](Row row) { return held(row, row.memory.pss); });
  add_each(text, rows, "component_anonymous_bytes", gauge,
           "Anonymous memory with its swap, which the budget counts, by the last sample.",
           [&](Row row) { return held(row, row.memory.anonymous); });
  add_each(text, rows, "component_file_exclusive_bytes", gauge,
           "Pages of files that it alone has mapped, by the last sample.",
           [&](Row row) { return held(row, row.memory.file_exclusive); });
  add_each(text, rows, "component_file_shared_bytes", gauge,
           "Its share of pages of files that others have mapped too, by the last sample.",
           [&](Row row) { return held(row, row.memory.file_shared); });
  add_each(text, rows, "component_device_bytes", gauge,
           "Memory of devices, by its server, NVML or DRM, by the last sample.",
           [&](Row row) { return held(row, row.memory.device); });
  add_each(text, rows, "component_would_free_bytes", gauge,
           "What unloading it would give back, by the last sample.",
           [&](Row row) { return held(row, row.memory.would_free()); });
  add_each(text, rows, "component_reserved_bytes", gauge, "Held in the ledger.",
           [](Row row) { return row.view.reserved.count; });
  add_each(text, rows, "component_peak_bytes", gauge, "The highest of its last 20 lives.",
           [](Row row) { return row.view.peak.count; });
  add_each(text, rows, "component_bound_bytes", gauge, "What a load would reserve now.",
           [](Row row) { return row.view.bound.count; });
  add_load_times(text, rows);
  add_each(text, rows, "component_leases", gauge, "Leases on it.",
           [](Row row) { return row.view.leases; });
  add_each(text, rows, "component_loads_total", counter, "Loads done.",
           [](Row row) { return row.view.loads; });
  add_each(text, rows, "component_unloads_total", counter, "Unloads and exits.",
           [](Row row) { return row.view.unloads; });
  add_each(text, rows, "component_failures_total", counter, "Failed loads and exits.",
           [](Row row) { return row.view.failures; });
  add_each(text, rows, "component_uses_total", counter, "Uses.",
           [](Row row) { return row.view.uses; });
  add_each(text, rows, "component_warm_uses_total", counter, "Uses while it was ready.",
           [](Row row) { return row.view.warm_uses; });
}

void metrics(Exchange& exchange) {
  const MetricsFormat format = metrics_format_of(exchange.request().accept);
  exchange.service().status(
      exchange.later<DaemonStatus>([format](Exchange& x, const DaemonStatus& status) {
        MetricsText text(format);
        add_daemon(text, status);
        add_budgets(text, status);
        add_pools(text, status);
        add_totals(text, status);
        add_refusals(text, status.measures);
        add_gateway(text, x.gateway_counts());
        add_histograms(text, status.measures);
        add_components(text, status);
        x.reply({.status = 200,
                 .body = text.finish(),
                 .content_type = content_type_of(format),
                 .headers = "Vary: Accept\r\n"});
      }));
}

constexpr Route routes[] = {
    {.method = Method::get,
     .pattern = "/metrics",
     .summary = "The figures for Prometheus; as OpenMetrics for those who accept it.",
     .handle = metrics,
     .answer = "text/plain; version=0.0.4; charset=utf-8"},
};

}  // namespace

extern const RouteGroup route_group_metrics;
const RouteGroup route_group_metrics{.routes = routes};

}  // namespace hearth
