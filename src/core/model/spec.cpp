#include "core/model/spec.h"

namespace hearth {
namespace {

constexpr std::array<std::string_view, 4> priorities{"low", "medium", "high", "core"};
constexpr std::array<std::string_view, 5> pressures{"low", "medium", "high", "critical",
                                                    "emergency"};

template <class E, std::size_t n>
std::optional<E> find(const std::array<std::string_view, n>& names, std::string_view name) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Priority priority) {
  return priorities.at(static_cast<std::size_t>(priority));
}
std::string_view name_of(Pressure pressure) {
  return pressures.at(static_cast<std::size_t>(pressure));
}
std::optional<Priority> priority_of(std::string_view name) {
  return find<Priority>(priorities, name);
}
std::optional<Pressure> pressure_of(std::string_view name) {
  return find<Pressure>(pressures, name);
}

}  // namespace hearth
