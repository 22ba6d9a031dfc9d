#include "cli/doctor_text.h"

#include <algorithm>
#include <sstream>

#include "cli/table.h"

namespace hearth {
namespace {

Colour colour_of(const Facility& facility) {
  switch (facility.state) {
    case FacilityState::good:
      return Colour::green;
    case FacilityState::partly:
    case FacilityState::missing:
      return facility.need == FacilityNeed::unused ? Colour::dim : Colour::yellow;
    case FacilityState::broken:
      return Colour::red;
  }
  return Colour::plain;
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t own = width_of(text);
  return std::string{text} + std::string(own < width ? width - own : 1, ' ');
}

std::string plural(long count, const std::string& one, const std::string& more) {
  return std::to_string(count) + " " + (count == 1 ? one : more);
}

std::string summary(const std::vector<Facility>& facilities, const DoctorStyle& style) {
  const auto broken = std::ranges::count(facilities, FacilityState::broken, &Facility::state);
  const auto lacking = std::ranges::count_if(facilities, [](const Facility& facility) {
    return facility.need != FacilityNeed::unused &&
           (facility.state == FacilityState::partly || facility.state == FacilityState::missing);
  });
  const auto unused = std::ranges::count_if(facilities, [](const Facility& facility) {
    return facility.need == FacilityNeed::unused && facility.state != FacilityState::good;
  });
  std::string text = broken == 0 ? "Nothing that is needed is broken"
                                 : plural(broken, "thing", "things") + " that " +
                                       (broken == 1 ? "is" : "are") + " needed " +
                                       (broken == 1 ? "is" : "are") + " broken";
  if (lacking > 0) text += "; " + plural(lacking, "other is", "others are") + " not whole";
  text += ".\n";
  if (unused > 0 && !style.is_all) {
    text += "Of what this version does not use, " + plural(unused, "thing is", "things are") +
            " not there: --all says what would mend that.\n";
  }
  return text;
}

}  // namespace

std::string doctor_text(const std::vector<Facility>& facilities, const DoctorStyle& style) {
  std::size_t width = 0;
  for (const Facility& facility : facilities) width = std::max(width, facility.name.size());
  constexpr std::size_t state_width = 9;
  const std::string indent(width + 2 + state_width, ' ');
  std::ostringstream text;
  const auto detail = [&](std::string_view label, const std::string& words) {
    if (!words.empty()) text << indent << padded(label, 9) << printable(words) << "\n";
  };
  for (const Facility& facility : facilities) {
    const bool is_unused = facility.need == FacilityNeed::unused;
    const bool is_whole = facility.state == FacilityState::good;
    const std::string state{name_of(facility.state)};
    std::string found = facility.found.empty() ? facility.missing : facility.found;
    if (is_unused) found += " (this version does not use it)";
    text << coloured(facility.name, Colour::bold, style.has_colour)
         << std::string(width + 2 - facility.name.size(), ' ')
         << coloured(state, colour_of(facility), style.has_colour)
         << std::string(state_width - state.size(), ' ') << printable(found) << "\n";
    if (is_whole || (is_unused && !style.is_all)) continue;
    if (!facility.found.empty()) detail("missing:", facility.missing);
    detail("instead:", facility.instead);
    for (const std::string& mend : facility.mend) detail("mend:", mend);
  }
  text << "\n" << summary(facilities, style);
  return std::move(text).str();
}

OrderedJson doctor_json(const std::vector<Facility>& facilities, std::string_view version) {
  OrderedJson rows = OrderedJson::array();
  for (const Facility& facility : facilities) {
    rows.push_back({{"name", facility.name},
                    {"need", std::string{name_of(facility.need)}},
                    {"state", std::string{name_of(facility.state)}},
                    {"found", facility.found},
                    {"missing", facility.missing},
                    {"instead", facility.instead},
                    {"mend", facility.mend}});
  }
  return {{"version", std::string{version}},
          {"healthy", is_healthy(facilities)},
          {"facilities", std::move(rows)}};
}

}  // namespace hearth
