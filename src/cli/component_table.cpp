#include "cli/component_table.h"

#include "cli/times.h"

namespace hearth {
namespace {

std::string state_text(const OrderedJson& row) {
  std::string text = text_of(row, "state");
  if (flag_of(row, "pinned")) text += ", pinned";
  if (flag_of(row, "preloaded")) text += ", preload";
  return text;
}

// What it holds by the last sample; before one, what is reserved for it.
std::string memory_text(const OrderedJson& row) {
  const double pss = number_of(part_of(row, "memory"), "pss_bytes");
  const double reserved = number_of(row, "reserved_bytes");
  if (pss > 0) return human_bytes(pss);
  return reserved > 0 ? human_bytes(reserved) : "-";
}

std::string warm_text(const OrderedJson& row) {
  const double uses = number_of(row, "uses");
  if (uses <= 0) return "-";
  return human_number(number_of(row, "warm_uses"), 0) + "/" + human_number(uses, 0);
}

std::string load_time_text(const OrderedJson& row) {
  const double ms = number_of(row, "load_time_ms");
  return ms > 0 ? human_span(ms) : "-";
}

}  // namespace

Colour colour_of_state(std::string_view state) {
  if (state == "ready") return Colour::green;
  if (state == "failed") return Colour::red;
  if (state == "unloaded" || state == "hibernated") return Colour::dim;
  return Colour::yellow;
}

Table component_table(const OrderedJson& rows, std::int64_t now_unix_ms) {
  Table table{{{"NAME"},
               {"STATE"},
               {"PRIORITY"},
               {"MEMORY", true},
               {"PEAK", true},
               {"LOAD", true},
               {"LEASES", true},
               {"WARM", true},
               {"USED"},
               {"ENDPOINT OR LAST ERROR"}}};
  for (const OrderedJson& row : rows) {
    const double peak = number_of(row, "peak_bytes");  // measured
    const std::string error = text_of(row, "last_error");
    const bool is_failed = text_of(row, "state") == "failed";
    table.add({text_of(row, "name"), Cell{state_text(row), colour_of_state(text_of(row, "state"))},
               text_of(row, "priority"), memory_text(row), peak > 0 ? human_bytes(peak) : "-",
               load_time_text(row), human_number(number_of(row, "leases"), 0), warm_text(row),
               ago(text_of(row, "last_used_at"), now_unix_ms),
               is_failed ? error : text_of(row, "endpoint", "-")});
  }
  return table;
}

}  // namespace hearth
