// A swap of zram for the tests that need one: theirs alone as long as it lives, and gone
// afterwards.
//
// Contract   made only where the machine has no swap and we are root; why_not() says why it could
//            not be made, and is empty where there is one. Tests of other processes wait for
//            theirs.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/swap.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "runtime/files.h"

namespace hearth::testing {

inline bool has_swap() {
  const auto swaps = read_file("/proc/swaps");
  return swaps && swaps->find("\n/") != swaps->npos;
}

// Whoever makes a swap, or wants none, waits for the others.
class SwapTurn {
 public:
  SwapTurn() : lock_(::open("/tmp/hearth-zram.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (lock_.is_open()) (void)::flock(lock_.get(), LOCK_EX);
  }

 private:
  Descriptor lock_;
};

class ZramSwap {
 public:
  ZramSwap() : why_not_(begin()) {}
  ~ZramSwap() {
    if (is_on_) (void)::swapoff("/dev/zram0");
    if (is_sized_) (void)put_into("/sys/block/zram0/reset", "1");
  }
  ZramSwap(const ZramSwap&) = delete;
  ZramSwap& operator=(const ZramSwap&) = delete;

  [[nodiscard]] const std::string& why_not() const { return why_not_; }

 private:
  [[nodiscard]] std::string begin() {
    if (has_swap()) return {};  // the machine's own: no other test is about
    if (::geteuid() != 0) return "no swap here, and only root can make one";
    const auto size = read_file("/sys/block/zram0/disksize");
    if (!size) return "no swap here, and the kernel has no zram";
    if (*size != "0\n") return "no swap here, and zram0 is used by somebody else";
    if (!put_into("/sys/block/zram0/disksize", "268435456")) return "zram0 takes no size";
    is_sized_ = true;
    const int made = std::system("PATH=$PATH:/usr/sbin:/sbin mkswap /dev/zram0 >/dev/null 2>&1");
    if (made != 0) return "mkswap failed";
    if (::swapon("/dev/zram0", 0) != 0) return "swapon: " + error_text(errno);
    is_on_ = true;
    return {};
  }

  SwapTurn turn_;
  bool is_sized_ = false;
  bool is_on_ = false;
  std::string why_not_;
};

}  // namespace hearth::testing
