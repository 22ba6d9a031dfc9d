// The two status calls of the Dynamic Component Manager, with its field names.
#include <algorithm>

#include "api/render.h"
#include "api/route.h"

namespace hearth {
namespace {

double mib(Bytes bytes) { return static_cast<double>(bytes.count) / (1024.0 * 1024.0); }

struct Sums {
  Bytes reserved;  // of resident components
  Bytes held;      // PSS of resident components
  Bytes saved;     // PSS, when last ready, of unloaded ones
};

Sums sums_of(const DaemonStatus& status) {
  Sums sums;
  for (const ComponentRow& row : status.components) {
    if (is_resident(row.view.state)) {
      sums.reserved += row.view.reserved;
      sums.held += row.memory.pss;
    } else if (row.view.loads > 0) {
      sums.saved += row.memory.pss.count > 0 ? row.memory.pss : row.view.peak;
    }
  }
  return sums;
}

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

double hit_rate(const DaemonStatus& status) {
  return share(static_cast<double>(status.totals.warm_uses),
               static_cast<double>(status.totals.uses));
}

double efficiency(const DaemonStatus& status) {
  const Sums sums = sums_of(status);
  const double all = mib(sums.held + sums.saved);
  return all > 0 ? 100 * (1 - mib(sums.held) / all) * hit_rate(status) : 0;
}

void append_memory(JsonWriter& json, const DaemonStatus& status) {
  const Sums sums = sums_of(status);
  json.field("estimated_used_mb", mib(sums.reserved));
  json.field("process_memory_mb", mib(status.daemon_rss));
  json.key("available_mb");
  if (status.available >= Bytes::unlimited())
    json.null();
  else
    json.number(mib(status.available));
  json.field("pressure", name_of(status.pressure));
  json.field("saved_mb", mib(sums.saved));
  json.key("pools").open();
  for (const BudgetRow& row : status.budgets) {
    if (!row.is_pool) continue;
    const bool is_named = row.name.starts_with("pool ");
    json.key(is_named ? std::string_view{row.name}.substr(5) : std::string_view{row.name}).open();
    json.field("used_mb", mib(row.used)).field("limit_mb", mib(row.budget)).close();
  }
  json.close();
}

void append_performance(JsonWriter& json, const DaemonStatus& status) {
  json.field("total_loads", status.totals.loads);
  json.field("total_unloads", status.totals.unloads);
  json.field("cache_hit_rate", hit_rate(status));
  json.key("load_times").open();
  for (const ComponentRow& row : status.components) {
    if (!is_shown(row) || row.view.loads == 0) continue;
    json.key(row.name).open();
    json.field("average_ms", row.view.load_time).field("load_count", row.view.loads);
    json.field("priority", name_of(row.view.priority)).close();
  }
  json.close();
}

void append_platform(JsonWriter& json) {
#if defined(__aarch64__)
  constexpr bool is_arm64 = true;
#else
  constexpr bool is_arm64 = false;
#endif
  json.field("arm64", is_arm64).field("m1", false).field("neural_engine", false);
  json.key("optimizations").open_list().close_list();
}

void append_names(JsonWriter& json, std::string_view key, const DaemonStatus& status,
                  bool (*is_in)(State)) {
  json.key(key).open_list();
  for (const ComponentRow& row : status.components) {
    if (is_shown(row) && is_in(row.view.state)) json.text(row.name);
  }
  json.close_list();
}

bool is_loaded(State s) { return s == State::ready || s == State::closing || s == State::draining; }
bool is_loading(State s) { return s == State::loading || s == State::resuming; }
bool is_failed(State s) { return s == State::failed; }
bool is_unloaded(State s) { return !is_loaded(s) && !is_loading(s) && !is_failed(s); }

double ram_budget_gib(const DaemonStatus& status) {
  const auto ram = std::ranges::find(status.budgets, "ram", &BudgetRow::name);
  return ram == status.budgets.end() ? 0 : mib(ram->budget) / 1024;
}

// Parts of the original that nothing here does yet say so.
void append_prediction(JsonWriter& json, const DaemonStatus& status) {
  json.key("ml_prediction").open().field("enabled", false).close();
  json.key("platform").open();
  append_platform(json);
  json.close();
  json.key("advanced_preloader").open();
  json.field("enabled", status.totals.preloads > 0).field("predictor_active", false);
  json.field("dependency_resolver_active", true).field("smart_cache_active", true);
  json.key("smart_cache_stats").open().field("policy", status.policy);
  json.field("evictions", status.totals.evictions).field("hit_rate", hit_rate(status)).close();
  json.key("prediction_accuracy").null();
  json.key("preload_hits").null().key("preload_misses").null().key("preload_wasted").null();
  json.key("preload_hit_rate").null();
  json.close();
}

void component_status(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    const StateCounts counts = count_states(status);
    JsonWriter json;
    json.open().field("enabled", true).field("config_path", status.config_path);
    json.field("memory_limit_gb", ram_budget_gib(status));
    json.field("total_components", counts.total).field("loaded_components", counts.ready);
    json.field("loading_components", counts.loading);
    json.field("unloaded_components", counts.unloaded).field("failed_components", counts.failed);
    append_names(json, "loaded", status, is_loaded);
    append_names(json, "loading", status, is_loading);
    append_names(json, "unloaded", status, is_unloaded);
    append_names(json, "failed", status, is_failed);
    json.key("memory").open();
    append_memory(json, status);
    json.close().key("performance").open();
    append_performance(json, status);
    json.close();
    append_prediction(json, status);
    json.key("stats").open().field("total_commands", status.totals.commands);
    json.field("total_uses", status.totals.uses).field("refusals", status.totals.refusals).close();
    json.close();
    x.reply_json(200, json.take());
  }));
}

void component_metrics(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    const StateCounts counts = count_states(status);
    JsonWriter json;
    json.open().field("enabled", true).key("timestamp").instant(status.now_unix_ms);
    json.field("efficiency_score", efficiency(status));
    json.key("metrics").open().key("component_utilization").open();
    json.field("total", counts.total).field("loaded", counts.ready);
    json.field("utilization_percent",
               100 * share(static_cast<double>(counts.ready), static_cast<double>(counts.total)));
    json.close().key("memory_metrics").open();
    append_memory(json, status);
    json.close().key("performance_metrics").open();
    append_performance(json, status);
    json.close().key("platform_info").open();
    append_platform(json);
    json.close().close().close();
    x.reply_json(200, json.take());
  }));
}

constexpr Route routes[] = {
    {Method::get, "/components/status", "The status of the system before.", component_status},
    {Method::get, "/components/metrics", "The metrics of the system before.", component_metrics},
};

}  // namespace

extern const RouteGroup route_group_original;
const RouteGroup route_group_original{.routes = routes};

}  // namespace hearth
