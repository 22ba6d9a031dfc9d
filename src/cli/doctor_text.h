// What `hearth doctor` prints.
//
// Contract   doctor_text() is a line a facility: its name, its state, what is there. What is not
//            there, what Hearth does instead and the mends stand below it, indented. What this
//            version does not use is marked so, and has these lines only with is_all. The last
//            line says how it is on the whole.
//            doctor_json() is all of it: {"version", "healthy", "facilities": [{"name", "need",
//            "state", "found", "missing", "instead", "mend"}]}.
// Threads    pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/json.h"
#include "platform/facilities.h"

namespace hearth {

struct DoctorStyle {
  bool is_all = false;
  bool has_colour = false;
};

[[nodiscard]] std::string doctor_text(const std::vector<Facility>& facilities,
                                      const DoctorStyle& style);
[[nodiscard]] OrderedJson doctor_json(const std::vector<Facility>& facilities,
                                      std::string_view version);

}  // namespace hearth
