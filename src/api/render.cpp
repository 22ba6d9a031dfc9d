#include "api/render.h"

#include <algorithm>
#include <charconv>

namespace hearth {
namespace {

// Reasons for which a reply's component stands for nobody.
bool is_about_nobody(Reason reason) {
  return reason == Reason::none || reason == Reason::unknown_lease ||
         reason == Reason::unknown_command || reason == Reason::queue_full ||
         reason == Reason::shutting_down || reason == Reason::abandoned;
}

}  // namespace

std::optional<std::uint64_t> parse_id(std::string_view text, char letter) {
  if (text.starts_with(letter)) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

Problem refusal_of(const Names& names, const Answer& answer) {
  const action::Reply& reply = answer.reply;
  Problem problem;
  problem.status = http_status(reply.code);
  problem.code = reply.code;
  problem.detail = answer.detail;
  if (reply.reason != Reason::none) problem.reason = name_of(reply.reason);
  if (problem.detail.empty()) problem.detail = name_of(reply.reason);
  if (!is_about_nobody(reply.reason)) {
    problem.component = names.name(reply.component);
    if (reply.other != reply.component) problem.other = names.name(reply.other);
  }
  return problem;
}

void reply_refusal(Exchange& exchange, const Answer& answer) {
  exchange.problem(refusal_of(exchange.names(), answer));
}

void append_components(JsonWriter& json, const Names& names, const Answer& answer) {
  json.key("components").open_list();
  for (std::size_t i = 0; i < answer.reply.components.size(); ++i) {
    const action::ReplyComponent& component = answer.reply.components[i];
    json.open();
    json.field("name", names.name(component.component));
    json.field("state", component.is_ready ? "ready" : "loading");
    json.field("cold", component.is_cold);
    json.field("asked", component.is_asked);
    json.text_or_null("endpoint", i < answer.endpoints.size() ? answer.endpoints[i] : "");
    json.close();
  }
  json.close_list();
}

void append_lease(JsonWriter& json, const Exchange& exchange, const action::Reply& reply) {
  json.id("lease", 'l', reply.lease.value);
  json.key("lease_expires_at");
  if (!reply.lease || reply.lease_until == Instant::never()) {
    json.null();
  } else {
    json.instant(exchange.unix_ms_of(reply.lease_until));
  }
}

std::int64_t unix_ms_of(const DaemonStatus& status, Instant at) {
  return status.now_unix_ms - (status.now - at).count() / 1'000'000;
}

namespace {

void append_time(JsonWriter& json, std::string_view name, const DaemonStatus& status, Instant at) {
  json.key(name);
  if (at.ns == 0 || at == Instant::never())
    json.null();
  else
    json.instant(unix_ms_of(status, at));
}

void append_memory(JsonWriter& json, std::string_view name, const MemoryFigures& memory, Bytes held,
                   Bytes would_free) {
  json.key(name).open();
  json.field("anonymous_bytes", memory.anonymous);
  json.field("file_exclusive_bytes", memory.file_exclusive);
  json.field("file_shared_bytes", memory.file_shared);
  json.field("device_bytes", memory.device);
  json.field("pss_bytes", memory.pss);
  json.field("held_bytes", held);
  json.field("would_free_bytes", would_free);
  json.close();
}

}  // namespace

void append_component(JsonWriter& json, const DaemonStatus& status, const ComponentRow& row) {
  const ComponentView& view = row.view;
  json.open();
  json.field("name", row.name);
  json.field("state", name_of(view.state));
  json.field("priority", name_of(view.priority));
  json.field("pinned", view.is_pinned);
  json.field("idle", view.is_idle);
  json.field("preloaded", view.is_preload);
  json.field("removed", view.is_removed);
  json.text_or_null("endpoint", row.endpoint);
  for (const auto& [key, pid] :
       {std::pair{"pid", row.process}, std::pair{"supervisor_pid", row.supervisor}}) {
    json.key(key);
    if (pid > 0)
      json.whole(pid);
    else
      json.null();
  }
  const bool is_there = is_resident(view.state);
  const MemoryFigures memory = is_there ? row.memory : MemoryFigures{};
  const MemoryPeaks peaks = is_there ? row.peaks : MemoryPeaks{};
  append_memory(json, "memory", memory, memory.held(), memory.would_free());
  append_memory(json, "memory_peak", peaks.figures, peaks.held, peaks.would_free);
  json.field("reserved_bytes", view.reserved);
  json.field("peak_bytes", view.peak);
  json.field("bound_bytes", view.bound);
  json.field("declared_bytes", view.declared);
  json.field("declared_off", view.is_estimate_off);
  json.field("load_time_ms", view.load_time);
  json.field("resume_time_ms", view.resume_time);
  json.field("freed_share", view.freed_share);
  json.field("leases", view.leases);
  json.field("uses", view.uses);
  json.field("warm_uses", view.warm_uses);
  json.field("loads", view.loads);
  json.field("unloads", view.unloads);
  json.field("failures", view.failures);
  json.field("probability", view.probability);
  json.texts("needs", row.needs);
  json.texts("conflicts", row.conflicts);
  json.texts("aliases", row.aliases);
  json.field("description", row.description);
  json.text_or_null("last_error", row.last_error);
  append_time(json, "last_used_at", status, view.last_used);
  append_time(json, "loaded_at", status, view.loaded_at);
  append_time(json, "retry_at", status,
              view.state == State::failed ? view.retry_at : Instant::never());
  json.close();
}

void append_decision(JsonWriter& json, const Decision& decision, std::int64_t unix_ms,
                     const Names& names, const IsUnmeasured& is_unmeasured) {
  json.open();
  json.field("sequence", decision.sequence);
  json.key("at").instant(unix_ms);
  json.field("kind", name_of(decision.kind));
  json.field("reason", name_of(decision.reason));
  json.text_or_null("component", decision.has_component ? names.name(decision.component) : "");
  json.text_or_null("other", decision.has_other ? names.name(decision.other) : "");
  json.id("command", 'c', decision.command.value);
  json.id("lease", 'l', decision.lease.value);
  json.field("bytes", decision.bytes);
  json.field("other_bytes", decision.other_bytes);
  json.field("figure", decision.figure);
  json.field("other_figure", decision.other_figure);
  const auto name = [&](ComponentId id) { return std::string(names.name(id)); };
  json.field("text", to_text(decision, name, is_unmeasured));
  json.close();
}

bool is_unmeasured(const DaemonStatus& status, ComponentId id) {
  const auto row = std::ranges::find_if(
      status.components, [id](const ComponentRow& each) { return each.view.id == id; });
  return row != status.components.end() && row->view.peak == Bytes{} &&
         row->view.declared == Bytes{};
}

bool is_shown(const ComponentRow& row) {
  return !row.view.is_removed || is_resident(row.view.state);
}

StateCounts count_states(const DaemonStatus& status) {
  StateCounts counts;
  for (const ComponentRow& row : status.components) {
    if (!is_shown(row)) continue;
    ++counts.total;
    switch (row.view.state) {
      case State::ready:
      case State::closing:
      case State::draining:
        ++counts.ready;
        break;
      case State::loading:
      case State::resuming:
        ++counts.loading;
        break;
      case State::failed:
        ++counts.failed;
        break;
      case State::unloaded:
      case State::unloading:
      case State::hibernating:
      case State::hibernated:
        ++counts.unloaded;
        break;
    }
  }
  return counts;
}

std::optional<ComponentId> component_of(Exchange& exchange, std::string_view name) {
  if (const auto id = exchange.names().find(name)) return id;
  Exchange::Problem problem;
  problem.status = 404;
  problem.code = Errc::not_found;
  problem.component = name.substr(0, 128);
  problem.reason = name_of(Reason::unknown_component);
  problem.near = name.size() <= 128 ? exchange.names().near(name) : std::vector<std::string>{};
  problem.detail = "no component `" + std::string(problem.component) + "`";
  if (!problem.near.empty()) problem.detail += "; did you mean `" + problem.near[0] + "`?";
  exchange.problem(std::move(problem));
  return std::nullopt;
}

std::optional<std::vector<ComponentId>> components_of(Exchange& exchange,
                                                      const std::vector<std::string>& names) {
  std::vector<ComponentId> ids;
  for (const std::string& name : names) {
    const auto id = component_of(exchange, name);
    if (!id) return std::nullopt;
    if (std::ranges::find(ids, *id) == ids.end()) ids.push_back(*id);
  }
  return ids;
}

}  // namespace hearth
