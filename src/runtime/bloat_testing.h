// A shell in a group that takes memory without an end: whoever limits the group ends it.
#pragma once

#include <fcntl.h>

#include "runtime/component_group.h"
#include "runtime/files.h"
#include "runtime/spawn.h"

namespace hearth::testing {

inline Spawned spawn_bloat(const ComponentGroup& group) {
  const Descriptor nothing{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  return spawn_program({.arguments = {"/bin/sh", "-c", "x=x; while :; do x=$x$x; done"},
                        .output = nothing.get(),
                        .birthplace = group.birthplace(),
                        .groups = group.doors()});
}

}  // namespace hearth::testing
