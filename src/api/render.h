// The service's values as the JSON of docs/api.md.
//
// Threads    pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/exchange.h"
#include "api/json_writer.h"
#include "codec/decision_text.h"
#include "runtime/service.h"

namespace hearth {

// "c12" or "12" of a letter 'c'; none when it is not an id.
[[nodiscard]] std::optional<std::uint64_t> parse_id(std::string_view text, char letter);

// A refused answer as problem details. The views are of the names.
[[nodiscard]] Problem refusal_of(const Names& names, const Answer& answer);
void reply_refusal(Exchange& exchange, const Answer& answer);
// "components": [...] of a granted answer.
void append_components(JsonWriter& json, const Names& names, const Answer& answer);
// "lease" and "lease_expires_at".
void append_lease(JsonWriter& json, const Exchange& exchange, const action::Reply& reply);

// The wall clock of an instant, by the status that came with it.
[[nodiscard]] std::int64_t unix_ms_of(const DaemonStatus& status, Instant at);
void append_component(JsonWriter& json, const DaemonStatus& status, const ComponentRow& row);
void append_decision(JsonWriter& json, const Decision& decision, std::int64_t unix_ms,
                     const Names& names, const IsUnmeasured& is_unmeasured = {});
[[nodiscard]] bool is_unmeasured(const DaemonStatus& status, ComponentId id);
[[nodiscard]] bool is_shown(const ComponentRow& row);  // not a removed one that is gone

struct StateCounts {
  std::size_t total = 0, ready = 0, loading = 0, unloaded = 0, failed = 0;
};
[[nodiscard]] StateCounts count_states(const DaemonStatus& status);

// Answers 404 with near names when the name is unknown.
[[nodiscard]] std::optional<ComponentId> component_of(Exchange& exchange, std::string_view name);
[[nodiscard]] std::optional<std::vector<ComponentId>> components_of(
    Exchange& exchange, const std::vector<std::string>& names);

}  // namespace hearth
