// Values and sections as YAML text that reads back as what it was made of.
//
// Contract   any UTF-8 text without zero bytes may be a value; it is put in quotes where it must
//            be. yaml_text() is for keys whose macros are expanded when they are read: ${env. in
//            it is escaped; yaml_scalar() leaves it a macro.
// Threads    pure. Internal to codec/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace hearth {

[[nodiscard]] std::string yaml_scalar(std::string_view text);
[[nodiscard]] std::string yaml_text(std::string_view text);
[[nodiscard]] std::string yaml_scalars(const std::vector<std::string>& items);
[[nodiscard]] std::string yaml_texts(const std::vector<std::string>& items);
// Exact: in the unit a person would choose where that loses nothing.
[[nodiscard]] std::string yaml_size(Bytes bytes);
[[nodiscard]] std::string yaml_duration(Duration span);

// Lines of "key: value" at one depth.
class YamlSection {
 public:
  YamlSection(std::string& out, int depth)
      : out_(out), indent_(static_cast<std::size_t>(depth) * 2) {}

  void add(std::string_view key, const std::string& value);
  // The lines of one folded text, each as it is: neither empty nor beginning with a blank.
  void add_folded(std::string_view key, const std::vector<std::string>& lines);
  YamlSection open(std::string_view key);

 private:
  std::string& out_;
  std::size_t indent_;
};

}  // namespace hearth
