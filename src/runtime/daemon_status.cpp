// The whole state, for people and dashboards.
#include <algorithm>

#include "runtime/clock.h"
#include "runtime/daemon_state.h"

namespace hearth {
namespace {

std::vector<BudgetRow> budget_rows(const Engine& engine) {
  const Ledger& ledger = engine.ledger();
  const Settings& settings = engine.settings();
  std::vector<BudgetRow> rows;
  const auto add = [&](const std::string& name, ResourceId id) {
    rows.push_back(
        {.name = name, .budget = ledger.budget(id), .used = ledger.used(id), .held_by = {}});
  };
  add("ram", ResourceId{});
  for (std::size_t i = 0; i < settings.resources.size() && i + 1 < ledger.resource_count(); ++i) {
    const ResourceId id{static_cast<std::uint16_t>(i + 1)};
    add(settings.resources[i].name, id);
  }
  for (std::size_t i = 0; i < settings.pools.size() && i + 1 < ledger.pool_count(); ++i) {
    const PoolId id{static_cast<std::uint16_t>(i + 1)};
    rows.push_back({.name = settings.pools[i].name,
                    .budget = ledger.pool_budget(id),
                    .used = ledger.pool_used(id),
                    .is_pool = true,
                    .is_hard = ledger.is_hard(id),
                    .borrowed = ledger.borrowed(id),
                    .lent = ledger.lent(id),
                    .held_by = {}});
  }
  return rows;
}

}  // namespace

namespace {

// Who is resident and takes of a device, beside that device.
void name_holders(const Config& config, DaemonStatus& status) {
  for (const Spec& spec : config.core.components) {
    if (spec.devices.empty()) continue;
    const auto row = std::ranges::find(status.components, spec.name, &ComponentRow::name);
    if (row == status.components.end() || !is_resident(row->view.state)) continue;
    for (const ResourceNeed& need : spec.devices) {
      for (BudgetRow& budget : status.budgets) {
        if (!budget.is_pool && budget.name == need.resource) budget.held_by.push_back(spec.name);
      }
    }
  }
}

// Of the devices: what the ledger holds, which is as measured where they are.
void measure_budgets(const Config& config, DaemonStatus& status) {
  for (BudgetRow& budget : status.budgets) {
    const bool is_ram = !budget.is_pool && budget.name == "ram";
    const bool is_page_cache = !budget.is_pool && budget.name == "page_cache";
    if (!budget.is_pool && !is_ram && !is_page_cache) continue;
    Bytes sum;
    for (const ComponentRow& row : status.components) {
      if (!is_resident(row.view.state)) continue;
      const auto is_of_pool = [&] {
        const auto spec = std::ranges::find(config.core.components, row.name, &Spec::name);
        return spec != config.core.components.end() && spec->pool == budget.name;
      };
      if (budget.is_pool && !is_of_pool()) continue;
      sum += is_page_cache ? row.memory.file_exclusive : row.memory.anonymous;
    }
    budget.measured = sum;
  }
}

}  // namespace

DaemonStatus Daemon::Impl::status() {
  DaemonStatus status;
  status.version = options.version;
  status.started_unix_ms = started_unix_ms;
  status.now_unix_ms = unix_ms_now();
  status.now = intake->now();
  status.config_path = config.path;
  status.state_dir = state_dir;
  status.policy = engine.settings().policy;
  status.pressure = engine.pressure();
  status.saves_power = engine.saves_power();
  status.available = engine.available();
  status.figures = {.sign = engine.gauge().sign(),
                    .stall_share = engine.gauge().stall_share(),
                    .swap_rate = engine.gauge().swap_rate(),
                    .withheld = engine.ledger().withheld(),
                    .forecast = engine.forecast()};
  status.totals = engine.totals();
  status.measures = measures.figures();
  status.waiting = engine.waiting();
  status.event_queue = intake->queued();
  status.journal_sequence = sequence;
  status.daemon_rss = options.machine->own_rss();
  {
    const MutexLock guard{troubles_mutex};
    for (const auto& [key, text] : troubles) status.troubles.push_back(text);
  }
  status.budgets = budget_rows(engine);
  const auto seen = view();
  for (std::uint32_t i = 0; i < engine.component_count(); ++i) {
    const ComponentId id{i};
    ComponentRow row{.view = engine.component(id)};
    if (row.view.is_removed && !is_resident(row.view.state)) continue;
    row.name = row.view.name;
    if (const auto launch = seen->launches.find(id); launch != seen->launches.end()) {
      row.description = launch->second.description;
      row.aliases = launch->second.aliases;
    }
    for (const ComponentId need : engine.needs_of(id)) row.needs.push_back(name(need));
    for (const ComponentId rival : engine.conflicts_of(id)) row.conflicts.push_back(name(rival));
    const Components::Row running = components->row(id);
    row.endpoint = running.endpoint;
    row.memory = running.memory;
    row.peaks = running.peaks;
    row.process = running.process;
    row.supervisor = running.supervisor;
    if (const auto error = last_errors.find(id); error != last_errors.end()) {
      row.last_error = error->second;
    }
    status.components.push_back(std::move(row));
  }
  name_holders(config, status);
  measure_budgets(config, status);
  for (const LeaseView& lease : engine.leases()) {
    LeaseRow row{.id = lease.id, .owner = std::string{lease.owner}, .command = lease.command};
    if (lease.command) row.session = chronicle.session_of(lease.command);
    for (const ComponentId id : lease.components) row.components.push_back(name(id));
    row.remaining = std::max(lease.until - status.now, Duration{0});
    row.is_preemptible = lease.is_preemptible;
    status.leases.push_back(std::move(row));
  }
  status.decisions = engine.decisions();
  status.is_shutting_down = engine.is_shutting_down();
  return status;
}

}  // namespace hearth
