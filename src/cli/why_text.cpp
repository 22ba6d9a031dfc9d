#include "cli/why_text.h"

#include <algorithm>
#include <initializer_list>
#include <sstream>

#include "cli/table.h"
#include "cli/times.h"

namespace hearth {
namespace {

// The last decision about `name` itself whose kind is one of these; none: null.
OrderedJson last_of(const OrderedJson& decisions, std::string_view name,
                    std::initializer_list<std::string_view> kinds) {
  OrderedJson found;
  for (const OrderedJson& decision : decisions) {
    if (text_of(decision, "component") != name) continue;
    if (std::ranges::find(kinds, text_of(decision, "kind")) != kinds.end()) found = decision;
  }
  return found;
}

// What its reader wants first: the decision behind the state.
OrderedJson cause_of(const OrderedJson& decisions, std::string_view name, std::string_view state) {
  if (state == "unloaded" || state == "unloading" || state == "closing" || state == "draining") {
    return last_of(decisions, name, {"unload_started", "load_cancelled", "exited"});
  }
  if (state == "failed") return last_of(decisions, name, {"load_failed", "exited"});
  return last_of(decisions, name, {"load_started"});
}

void say_memory(std::ostream& text, const OrderedJson& row) {
  const double reserved = number_of(row, "reserved_bytes");
  const double peak = number_of(row, "peak_bytes");
  const double declared = number_of(row, "declared_bytes");
  text << "  memory: ";
  if (reserved > 0) text << human_bytes(reserved) << " held in the ledger, ";
  text << (peak > 0 ? human_bytes(peak) + " at its measured peak" : std::string{"never measured"});
  text << (declared > 0 ? ", " + human_bytes(declared) + " declared" : ", not declared");
  if (const double bound = number_of(row, "bound_bytes"); bound > 0) {
    text << "; a load reserves " << human_bytes(bound);
  }
  text << "\n";
  if (flag_of(row, "declared_off")) {
    text << "  declared: its `memory` is off by more than a quarter: " << human_bytes(peak)
         << " is the most that was measured; correct it\n";
  }
}

// What it is made of, where it runs and was measured.
void say_figures(std::ostream& text, const OrderedJson& row) {
  const OrderedJson now = part_of(row, "memory");
  const OrderedJson peak = part_of(row, "memory_peak");
  if (number_of(now, "pss_bytes") <= 0 && number_of(now, "would_free_bytes") <= 0) return;
  const auto figure = [&](const char* key) { return human_bytes(number_of(now, key)); };
  text << "  holds: " << figure("anonymous_bytes") << " anonymous, "
       << figure("file_exclusive_bytes") << " of files alone, " << figure("file_shared_bytes")
       << " of files with others, " << figure("device_bytes")
       << " on devices\n  would free: " << figure("would_free_bytes");
  const double most = number_of(peak, "would_free_bytes");
  if (most > 0) text << ", " << human_bytes(most) << " at its peak since it was loaded";
  text << "\n";
}

void say_because(std::ostream& text, const OrderedJson& decision, std::int64_t now_unix_ms,
                 std::string_view lead = "  because: ") {
  text << lead << text_of(decision, "text") << " (" << ago(text_of(decision, "at"), now_unix_ms)
       << ")\n";
}

// What keeps a ready component where it is.
std::string holders_text(const OrderedJson& row) {
  std::string text;
  const auto add = [&](const std::string& holder) {
    text += (text.empty() ? "" : ", and ") + holder;
  };
  const double leases = number_of(row, "leases");
  if (leases > 0) {
    add(human_number(leases, 0) + (leases > 1 ? " leases" : " lease") + " (`hearth leases`)");
  }
  if (text_of(row, "priority") == "core") add("it is core");
  if (flag_of(row, "pinned")) add("it is pinned");
  if (!text.empty()) return text;
  return flag_of(row, "idle") ? "nothing; it stays while nothing else needs its memory"
                              : "a component that needs it";
}

// Why it is as it is, and what was last asked of it in vain.
void say_cause(std::ostream& text, const OrderedJson& row, const OrderedJson& decisions,
               std::int64_t now_unix_ms) {
  const std::string name = text_of(row, "name");
  const std::string state = text_of(row, "state");
  const OrderedJson cause = cause_of(decisions, name, state);
  const OrderedJson refused = last_of(decisions, name, {"refused", "waiting"});
  const bool is_refused = refused.is_object() && state != "ready";
  if (cause.is_object()) {
    say_because(text, cause, now_unix_ms);
    if (is_refused) say_because(text, refused, now_unix_ms, "  last asked for: ");
  } else if (is_refused) {
    say_because(text, refused, now_unix_ms);
  } else if (state == "unloaded" && number_of(row, "loads") == 0) {
    text << "  because: "
         << (flag_of(row, "pinned") ? "it is pinned, and its load has not begun"
                                    : "nothing has asked for it")
         << "\n";
  }
}

}  // namespace

std::string why_text(const OrderedJson& row, const OrderedJson& decisions,
                     std::int64_t now_unix_ms) {
  std::ostringstream text;
  const std::string name = text_of(row, "name");
  const std::string state = text_of(row, "state");
  text << name << " is " << state << " (priority " << text_of(row, "priority")
       << (flag_of(row, "pinned") ? ", pinned" : "") << ")\n";
  say_cause(text, row, decisions, now_unix_ms);
  if (state == "ready") {
    text << "  held by: " << holders_text(row) << "\n";
    if (!text_of(row, "last_used_at").empty()) {
      text << "  last used: " << ago(text_of(row, "last_used_at"), now_unix_ms) << "\n";
    }
  }
  if (const std::string error = text_of(row, "last_error"); !error.empty() && state == "failed") {
    text << "  last error: " << error << "\n";
  }
  if (const OrderedJson needs = part_of(row, "needs"); !needs.empty()) {
    text << "  needs: " << joined(needs) << "\n";
  }
  if (const OrderedJson conflicts = part_of(row, "conflicts"); !conflicts.empty()) {
    text << "  conflicts with: " << joined(conflicts) << "\n";
  }
  say_memory(text, row);
  say_figures(text, row);
  const double uses = number_of(row, "uses");
  text << "  so far: " << human_number(number_of(row, "loads"), 0) << " loads, "
       << human_number(uses, 0) << " uses, " << human_number(number_of(row, "warm_uses"), 0)
       << " of them warm\n";
  std::string clean;
  std::istringstream lines{text.str()};
  for (std::string line; std::getline(lines, line);) clean += printable(line) + "\n";
  return clean;
}

}  // namespace hearth
