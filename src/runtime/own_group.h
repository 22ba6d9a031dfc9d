// Where this process stands among the control groups, and room there for those of components.
//
// Version 2 hands a group's controllers to the groups below it only while no process is in the
// group itself. A daemon that was given a group of its own therefore moves into a leaf of it,
// `hearth-daemon`, and what it starts is put into groups beside that leaf.
//
// Contract   enter() changes nothing where the group is the root, holds another process, may not
//            be written or has no controller of ours; one that was started in such a leaf stays
//            there and takes it along. Leaving (the destructor) undoes what enter() did, unless
//            something else is in the leaf by then: a component that is kept.
// Errors     none: is_entered() tells whether components can have limits of version 2 here.
// Threads    thread-compatible. All threads of the process move together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

// Where we are in one hierarchy. Version 2 has no controllers here.
struct GroupPlace {
  std::vector<std::string> controllers;
  std::string path;  // below the mount; "/" is the root group
};
// The text of /proc/self/cgroup: "2:cpu,cpuacct:/path", a line a hierarchy.
[[nodiscard]] std::vector<GroupPlace> parse_own_groups(std::string_view text);

// Our own path in the hierarchy of `controller` ("" is version 2), of /proc/self/cgroup.
[[nodiscard]] std::optional<std::string> own_group(std::string_view controller);

// The group that groups of components are made in: our own, or the one whose leaf we are in.
[[nodiscard]] std::string group_for_components(std::string own);

class DaemonLeaf {
 public:
  [[nodiscard]] static DaemonLeaf enter();
  ~DaemonLeaf();
  DaemonLeaf(DaemonLeaf&& other) noexcept;
  DaemonLeaf& operator=(DaemonLeaf&&) = delete;
  [[nodiscard]] bool is_entered() const { return is_entered_; }

 private:
  DaemonLeaf() = default;
  std::string group_;  // the directory to go back to; empty: we made nothing
  bool is_entered_ = false;
};

}  // namespace hearth
