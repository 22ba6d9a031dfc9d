#include "cli/status_text.h"

#include <cmath>
#include <sstream>

#include "cli/table.h"
#include "cli/times.h"

namespace hearth {
namespace {

Colour colour_of_pressure(std::string_view pressure) {
  if (pressure == "low") return Colour::green;
  return pressure == "medium" || pressure == "high" ? Colour::yellow : Colour::red;
}

std::string count(const OrderedJson& object, std::string_view key) {
  return human_number(number_of(object, key), 0);
}

std::string budget_text(const OrderedJson& budget) {
  const double all = number_of(budget, "budget_bytes");
  const double used = number_of(budget, "used_bytes");
  // A device that one component has alone is of one byte.
  if (all == 1 && !flag_of(budget, "pool")) {
    const std::string holders = joined(part_of(budget, "held_by"));
    if (used == 0) return "free";
    return holders.empty() ? "taken" : "taken by " + holders;
  }
  const auto limit = budget.find("budget_bytes");
  const bool has_limit = limit != budget.end() && limit->is_number() && all < 4e18;
  if (!has_limit) return human_bytes(used) + ", unlimited";
  std::string text = human_bytes(used) + " of " + human_bytes(all);
  if (all > 0) text += " (" + human_share(used / all) + ")";
  if (flag_of(budget, "hard")) text += ", hard";
  const double borrowed = number_of(budget, "borrowed_bytes");
  const double lent = number_of(budget, "lent_bytes");
  if (borrowed > 0) text += ", " + human_bytes(borrowed) + " borrowed";
  if (lent > 0) text += ", " + human_bytes(lent) + " lent";
  return text;
}

// As exact as it can be known.
std::string about(double seconds) {
  if (seconds < 5) return "in a moment";
  if (seconds < 100) return "in about " + human_number(std::round(seconds / 5) * 5, 0) + " s";
  return "in about " + human_number(std::round(seconds / 60), 0) + " min";
}

std::string pressure_text(const OrderedJson& status) {
  std::string text = text_of(status, "pressure");
  text += ", " + human_bytes(number_of(status, "available_bytes")) + " available";
  const std::string sign = text_of(status, "pressure_sign");
  if (sign == "own_limit") text += " below the limit of our own control group";
  if (sign == "stall") {
    text += ", programs wait for memory " + human_share(number_of(status, "stall_share")) +
            " of the time";
  }
  if (sign == "swap") {
    text += ", " + human_bytes(number_of(status, "swap_bytes_per_second")) +
            " a second go to the swap and come back";
  }
  const double withheld = number_of(status, "withheld_bytes");
  if (withheld > 0) {
    text += "; other programs hold " + human_bytes(withheld) + " of the budget";
  }
  const OrderedJson forecast = part_of(status, "forecast");
  if (forecast.is_object() && !forecast.empty()) {
    text += "; pressure " + text_of(forecast, "pressure") + " " +
            about(number_of(forecast, "in_ms") / 1000);
  }
  return text;
}

std::string share_text(double part, double rest, const std::string& noun, const std::string& what) {
  if (part + rest <= 0) return "no " + noun + " yet";
  return human_share(part / (part + rest)) + " of " + noun + " " + what;
}

}  // namespace

std::string status_text(const OrderedJson& status, std::string_view address, bool has_colour) {
  std::ostringstream text;
  const auto line = [&](std::string_view name, const std::string& value,
                        Colour colour = Colour::plain) {
    text << coloured(name, Colour::bold, has_colour)
         << std::string(name.size() < 14 ? 14 - name.size() : 1, ' ')
         << coloured(printable(value), colour, has_colour) << "\n";
  };
  const OrderedJson components = part_of(status, "components");
  const OrderedJson totals = part_of(status, "totals");
  const std::string pressure = text_of(status, "pressure");
  const auto now = unix_ms_of(text_of(status, "now_at")).value_or(0);

  const bool is_ending = flag_of(status, "shutting_down");
  line("hearth", text_of(status, "version") + " at " + std::string{address} + ", started " +
                     ago(text_of(status, "started_at"), now) +
                     (is_ending ? ", shutting down" : ""));
  for (const OrderedJson& budget : part_of(status, "budgets")) {
    const std::string name = text_of(budget, "name");
    line(name == "ram"             ? "memory"
         : flag_of(budget, "pool") ? "pool " + name
                                   : name,
         budget_text(budget));
  }
  line("pressure", pressure_text(status), colour_of_pressure(pressure));
  if (flag_of(status, "saves_power")) {
    line("power", "saved: the battery is low", Colour::yellow);
  }
  line("components", count(components, "ready") + " of " + count(components, "total") + " ready, " +
                         count(components, "loading") + " loading, " + count(components, "failed") +
                         " failed");
  line("waiting", count(status, "waiting") + " requests, " + count(status, "leases") + " leases");
  line("objectives", share_text(number_of(totals, "objectives_met"),
                                number_of(totals, "objectives_missed"), "waits", "met theirs") +
                         "; " +
                         share_text(number_of(totals, "warm_uses"),
                                    number_of(totals, "uses") - number_of(totals, "warm_uses"),
                                    "uses", "were warm"));
  line("so far", count(totals, "commands") + " commands, " + count(totals, "loads") + " loads, " +
                     count(totals, "evictions") + " evictions, " + count(totals, "load_failures") +
                     " failed loads, " + count(totals, "refusals") + " refusals");
  if (const OrderedJson off = part_of(status, "declared_off"); !off.empty()) {
    line("declared",
         "the `memory` of " + joined(off) +
             " is off by more than a quarter: `hearth why` says by how much",
         Colour::yellow);
  }
  line("policy", text_of(status, "policy"));
  line("daemon", human_bytes(number_of(status, "daemon_rss_bytes")) + " resident, " +
                     count(totals, "steps") + " steps");
  line("config", text_of(status, "config_path", "-"));
  line("state", text_of(status, "state_dir", "-"));
  const OrderedJson troubles = part_of(status, "troubles");
  if (troubles.empty()) line("troubles", "none", Colour::green);
  for (const OrderedJson& trouble : troubles) {
    line("trouble", trouble.is_string() ? trouble.get<std::string>() : dump_json(trouble),
         Colour::red);
  }
  return std::move(text).str();
}

}  // namespace hearth
