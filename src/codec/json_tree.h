// JSON text as a tree that remembers where everything stood: the one that YAML gives.
//
// Contract   read_json_tree() is total: any bytes give a tree, or problems with their places. No
//            deeper than `yaml_depth_max`, no larger than YAML may be; duplicate keys are
//            problems. A number keeps its digits; true and false are the texts that YAML has for
//            them.
// Threads    pure. Internal to codec/.
#pragma once

#include <string_view>

#include "codec/yaml_tree.h"

namespace hearth {

[[nodiscard]] YamlTree read_json_tree(std::string_view text);

}  // namespace hearth
