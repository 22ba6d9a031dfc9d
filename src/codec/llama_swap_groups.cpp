#include <algorithm>
#include <array>

#include "codec/config_reader.h"
#include "codec/llama_swap_rivals.h"

namespace hearth {
namespace {

struct Group {
  std::string name;
  ConfigPlace place;
  bool is_swapped = true;      // one member at a time
  bool is_exclusive = true;    // a load unloads the other groups
  bool is_persistent = false;  // which does not reach this one
  std::vector<std::size_t> members;
};

class Groups {
 public:
  Groups(const ComponentNames& names, ImportNotes& notes)
      : names_(names), notes_(notes), group_of_(names.size(), 0) {
    // Who is in none is in this one.
    groups_.push_back({.name = "(default)", .place = {}, .members = {}});
  }

  void read(const YamlNode& node) {
    if (node.is_null()) return;
    if (!node.is_map()) {
      notes_.error(node.place,
                   "`groups` must be a section of groups by name, not " + described(node));
      return;
    }
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      groups_.push_back({.name = node.keys[i].text, .place = node.keys[i].place, .members = {}});
      if (node.items[i].is_map()) {
        read_group(groups_.size() - 1, node.items[i]);
      } else {
        notes_.error(node.items[i].place, label(groups_.back()) +
                                              "expected a section with `members`, not " +
                                              described(node.items[i]));
      }
    }
  }

  Rivals rivals() {
    for (std::size_t i = 0; i < group_of_.size(); ++i) groups_[group_of_[i]].members.push_back(i);
    Rivals rivals(group_of_.size());
    for (std::size_t i = 0; i < group_of_.size(); ++i) {
      for (std::size_t other = 0; other < i; ++other) {
        if (are_rivals(group_of_[i], group_of_[other])) rivals[i].insert(other);
      }
    }
    note_one_sided();
    note_persistent();
    return rivals;
  }

 private:
  static std::string label(const Group& group) { return "group " + quoted(group.name) + ": "; }

  void read_group(std::size_t index, const YamlNode& node) {
    for (std::size_t k = 0; k < node.keys.size(); ++k) {
      const std::string& key = node.keys[k].text;
      const YamlNode& value = node.items[k];
      Group& group = groups_[index];
      if (key == "swap") {
        read_truth(group, key, value, group.is_swapped);
      } else if (key == "exclusive") {
        read_truth(group, key, value, group.is_exclusive);
      } else if (key == "persistent") {
        read_truth(group, key, value, group.is_persistent);
      } else if (key == "members") {
        read_members(index, value);
      } else {
        notes_.note(node.keys[k].place, label(group) + "unknown key " + quoted(key) +
                                            ", left out: Hearth has nothing by this name");
      }
    }
  }

  void read_truth(const Group& group, const std::string& key, const YamlNode& value, bool& into) {
    if (const auto truth = truth_of(value)) {
      into = *truth;
    } else {
      notes_.error(value.place,
                   label(group) + "`" + key + "` must be true or false, not " + described(value));
    }
  }

  void read_members(std::size_t index, const YamlNode& value) {
    const Group& group = groups_[index];
    if (!value.is_list()) {
      notes_.error(value.place,
                   label(group) + "`members` must be a list of models, not " + described(value));
      return;
    }
    for (const YamlNode& item : value.items) {
      const auto found = names_.find(item.text);
      if (!item.is_scalar() || !found) {
        notes_.note(item.place, label(group) + "its member " + described(item) +
                                    " is no model of the file: left out");
      } else if (group_of_[*found] != 0) {
        notes_.note(item.place, label(group) + quoted(item.text) + " is already a member of " +
                                    quoted(groups_[group_of_[*found]].name) + ": left out here");
      } else {
        group_of_[*found] = index;
      }
    }
  }

  static bool unloads(const Group& group, const Group& other) {
    return group.is_exclusive && !other.is_persistent;
  }
  [[nodiscard]] bool are_rivals(std::size_t a, std::size_t b) const {
    if (a == b) return groups_[a].is_swapped;
    return unloads(groups_[a], groups_[b]) && unloads(groups_[b], groups_[a]);
  }

  // There the other is unloaded, and may be loaded again beside the first: both fit.
  void note_one_sided() {
    for (std::size_t a = 0; a < groups_.size(); ++a) {
      for (std::size_t b = 0; b < groups_.size(); ++b) {
        const Group& group = groups_[a];
        const Group& other = groups_[b];
        if (a == b || group.members.empty() || other.members.empty()) continue;
        if (!unloads(group, other) || unloads(other, group)) continue;
        const Group& named = a == 0 ? other : group;
        notes_.note(named.place,
                    label(group) + "a load in it unloaded " + quoted(other.name) +
                        ", whose members may then be loaded beside it: they fit together, so "
                        "they are no rivals here, and only memory decides; write `conflicts` if "
                        "they must not meet");
      }
    }
  }

  void note_persistent() {
    for (const Group& group : groups_) {
      if (!group.is_persistent || group.members.empty()) continue;
      notes_.note(group.place, label(group) +
                                   "`persistent`: no load of another group unloads its members, "
                                   "but Hearth does when memory is short: `priority: high` makes "
                                   "them go last, `priority: core` keeps them always");
    }
  }

  const ComponentNames& names_;
  ImportNotes& notes_;
  std::vector<Group> groups_;
  std::vector<std::size_t> group_of_;  // of each model; 0: the default one
};

}  // namespace

std::optional<bool> truth_of(const YamlNode& node) {
  static constexpr std::array<std::string_view, 9> yes{"true", "True", "TRUE", "yes", "Yes",
                                                       "YES",  "on",   "On",   "ON"};
  static constexpr std::array<std::string_view, 9> no{"false", "False", "FALSE", "no", "No",
                                                      "NO",    "off",   "Off",   "OFF"};
  if (!node.is_scalar()) return std::nullopt;
  if (std::ranges::find(yes, node.text) != yes.end()) return true;
  if (std::ranges::find(no, node.text) != no.end()) return false;
  return std::nullopt;
}

Rivals rivals_of_groups(const YamlNode* groups, const ComponentNames& names, ImportNotes& notes) {
  Groups all{names, notes};
  if (groups != nullptr) all.read(*groups);
  return all.rivals();
}

}  // namespace hearth
