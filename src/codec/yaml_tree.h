// YAML text as a tree that remembers where everything stood.
//
// Contract   read_yaml() is total: any bytes give a tree, or problems with their places. One
//            document; no deeper than `yaml_depth_max`; aliases are copied and merge keys (<<)
//            applied, within `yaml_nodes_max` nodes in all, so that a small text cannot become a
//            large tree. Duplicate keys are problems. Control characters and invalid UTF-8 are
//            refused.
// Threads    pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/config.h"

namespace hearth {

inline constexpr std::size_t yaml_depth_max = 32;
inline constexpr std::size_t yaml_nodes_max = 1'000'000;
inline constexpr std::size_t yaml_copies_max = 100'000;  // nodes made by anchors and aliases
inline constexpr std::size_t yaml_bytes_max = 16u << 20;

struct YamlKey {
  std::string text;
  ConfigPlace place;
};

struct YamlNode {
  enum class Kind : unsigned char { null, scalar, list, map };
  Kind kind = Kind::null;
  ConfigPlace place;
  std::string text;           // of a scalar
  std::vector<YamlKey> keys;  // of a map: one for each of items
  std::vector<YamlNode> items;

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlTree {
  std::optional<YamlNode> root;  // none when it could not be read to its end
  std::vector<ConfigProblem> problems;
};

[[nodiscard]] YamlTree read_yaml(std::string_view text);

// Where the text stops being UTF-8; none when it does not.
[[nodiscard]] std::optional<std::size_t> invalid_utf8_at(std::string_view text);

}  // namespace hearth
