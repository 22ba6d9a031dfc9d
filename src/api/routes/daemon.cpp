// The daemon itself: its status, health, configuration and end.
#include "api/render.h"
#include "api/route.h"
#include "api/server.h"
#include "codec/json.h"

namespace hearth {
namespace {

void append_totals(JsonWriter& json, const Totals& totals) {
  json.key("totals").open();
  json.field("steps", totals.steps).field("commands", totals.commands);
  json.field("loads", totals.loads).field("preloads", totals.preloads);
  json.field("unloads", totals.unloads).field("evictions", totals.evictions);
  json.field("load_failures", totals.load_failures).field("exits", totals.exits);
  json.field("uses", totals.uses).field("warm_uses", totals.warm_uses);
  json.field("refusals", totals.refusals);
  json.field("objectives_met", totals.objectives_met);
  json.field("objectives_missed", totals.objectives_missed);
  json.close();
}

void append_pressure(JsonWriter& json, const PressureFigures& figures) {
  json.field("pressure_sign", name_of(figures.sign)).field("stall_share", figures.stall_share);
  json.field("swap_bytes_per_second", figures.swap_rate).field("withheld_bytes", figures.withheld);
  json.key("forecast");
  if (!figures.forecast) {
    json.null();
    return;
  }
  json.open().field("pressure", name_of(figures.forecast->level));
  json.field("in_ms", figures.forecast->in).close();
}

void append_status(JsonWriter& json, const DaemonStatus& status, bool is_ready) {
  json.open();
  json.field("version", status.version);
  json.field("ready", is_ready);
  json.field("shutting_down", status.is_shutting_down);
  json.key("started_at").instant(status.started_unix_ms);
  json.key("now_at").instant(status.now_unix_ms);
  json.field("config_path", status.config_path);
  json.field("state_dir", status.state_dir);
  json.field("policy", status.policy);
  json.field("pressure", name_of(status.pressure));
  json.key("available_bytes");
  if (status.available >= Bytes::unlimited())
    json.null();
  else
    json.whole(status.available.count);
  append_pressure(json, status.figures);
  json.field("saves_power", status.saves_power);
  json.field("daemon_rss_bytes", status.daemon_rss);
  json.field("waiting", status.waiting).field("event_queue", status.event_queue);
  json.field("journal_sequence", status.journal_sequence);
  json.texts("troubles", status.troubles);
  std::vector<std::string> off;
  for (const ComponentRow& row : status.components) {
    if (row.view.is_estimate_off) off.push_back(row.name);
  }
  json.texts("declared_off", off);
  json.key("budgets").open_list();
  for (const BudgetRow& row : status.budgets) {
    json.open().field("name", row.name).key("budget_bytes");
    if (row.budget >= Bytes::unlimited())
      json.null();
    else
      json.whole(row.budget.count);
    json.field("used_bytes", row.used).field("pool", row.is_pool);
    if (row.is_pool) {
      json.field("hard", row.is_hard).field("borrowed_bytes", row.borrowed);
      json.field("lent_bytes", row.lent);
    }
    if (!row.is_pool && row.name != "ram") json.texts("held_by", row.held_by);
    json.close();
  }
  json.close_list();
  const StateCounts counts = count_states(status);
  json.key("components").open();
  json.field("total", counts.total).field("ready", counts.ready);
  json.field("loading", counts.loading).field("unloaded", counts.unloaded);
  json.field("failed", counts.failed).close();
  json.field("leases", status.leases.size());
  append_totals(json, status.totals);
  json.close();
}

void status(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus told) {
    JsonWriter json;
    append_status(json, told, x.service().is_ready());
    x.reply_json(200, json.take());
  }));
}

void health(Exchange& exchange) { exchange.reply_json(200, R"({"status":"ok"})"); }

void readiness(Exchange& exchange) {
  if (exchange.service().is_ready()) return exchange.reply_json(200, R"({"status":"ready"})");
  exchange.problem(Error{Errc::unavailable, "components of priority core are not up yet"});
}

bool is_bare(Exchange& exchange) {
  auto fields = RequestFields::parse(exchange.request().body);
  auto finished = fields ? fields->finish() : Result<>{std::unexpected(fields.error())};
  if (!finished) exchange.problem(finished.error());
  return finished.has_value();
}

void reload(Exchange& exchange) {
  if (!is_bare(exchange)) return;
  exchange.service().reload(exchange.later<Result<>>([](Exchange& x, Result<> result) {
    if (!result) return x.problem(result.error());
    std::vector<std::string> waiting;
    if (x.options().on_reloaded) waiting = x.options().on_reloaded();
    JsonWriter json;
    json.open().field("reloaded", true).texts("needs_restart", waiting).close();
    x.reply_json(200, json.take());
  }));
}

void shutdown(Exchange& exchange) {
  if (!is_bare(exchange)) return;
  exchange.service().shutdown();
  exchange.reply_json(202, R"({"shutting_down":true})");
}

constexpr int ready_statuses[] = {503};

constexpr Route routes[] = {
    {Method::get, "/v1/status", "The daemon's figures.", status},
    {Method::post, "/v1/reload", "Read the configuration again.", reload},
    {Method::post, "/v1/shutdown", "Drain and end.", shutdown},
    {.method = Method::get,
     .pattern = "/healthz",
     .summary = "The daemon answers.",
     .handle = health,
     .is_open = true},
    {.method = Method::get,
     .pattern = "/readyz",
     .summary = "Core components are up.",
     .handle = readiness,
     .statuses = ready_statuses,
     .is_open = true},
};

}  // namespace

extern const RouteGroup route_group_daemon;
const RouteGroup route_group_daemon{.routes = routes};

}  // namespace hearth
