// The kernel's own word that memory becomes short, before anybody looks.
//
// Contract   stall_alarm() is a descriptor that has EPOLLPRI when programs have waited for memory
//            for a tenth of half a second, by the pressure file of the machine or of a control
//            group; at most twice a second. Where that is not allowed (it takes CAP_SYS_RESOURCE),
//            newer kernels do it for a tenth of two seconds. limit_alarm() has EPOLLPRI when a
//            group of version 2 was held back at its own limit, not at those of groups in it, or
//            lost somebody for it; some hundred times a second at most. Neither has to be read. To
//            be watched edge-triggered: a group's alarm stays until it is read, and is there from
//            the start.
// Errors     not_found: this kernel has none; unavailable: not for us.
// Threads    thread-safe.  Cost  none until they come.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/files.h"

namespace hearth {

// `file`: /proc/pressure/memory, or memory.pressure of a group.
[[nodiscard]] Result<Descriptor> stall_alarm(const std::string& file);
// `directory`: of the group.
[[nodiscard]] Result<Descriptor> limit_alarm(const std::string& directory);

}  // namespace hearth
