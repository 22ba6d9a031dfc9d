// Trees of processes that are frozen, paged out, and let go on.
//
// Contract   freeze() stops every process below `root`, by the control group of the component where
//            it has one of version 2 that we may write, else by SIGSTOP; thaw() undoes it, whoever
//            froze it. page_out() moves what a frozen tree holds of anonymous memory to the swap
//            and tells what of ram it takes then: what stayed, and what the swap takes of ram for
//            the rest (zram and zswap hold it there). page_in() asks the kernel to read it back
//            ahead; nothing depends on it.
// Errors     Errc::unavailable: no swap, no right to page out the memory of others, nothing of it
//            that the kernel would take, or `stop` was asked for; the detail names the mend. Then
//            part of the tree may be paged out, which does it no harm.
// Threads    thread-safe, but one tree is to be paged out at a time: what the swap takes of ram for
//            it is what it takes more afterwards.
// Cost       page_out: some 2 ms a MiB to zram, and up to 64 MiB of that after `stop`; page_in:
//            1 ms.
#pragma once

#include <sys/types.h>

#include <stop_token>

#include "base/result.h"
#include "base/units.h"

namespace hearth {

// Whether there is a swap, and a way to page out what our own components hold.
[[nodiscard]] Result<> can_page_out();

[[nodiscard]] Result<> freeze(pid_t root);
void thaw(pid_t root);
[[nodiscard]] Result<Bytes> page_out(pid_t root, const std::stop_token& stop);
void page_in(pid_t root);

}  // namespace hearth
