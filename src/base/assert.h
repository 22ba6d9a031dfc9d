// Assertions for our own faults, in every build.
//
// Contract   HEARTH_ASSERT(condition) ends the process with the place and the text of the condition
//            when it does not hold. HEARTH_DASSERT is the same in debug builds only and is for
//            checks that cost more than the code around them.
// Threads    pure.
#pragma once

namespace hearth {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace hearth

#define HEARTH_ASSERT(condition)                                  \
  do {                                                            \
    if (!(condition)) [[unlikely]]                                \
      ::hearth::assertion_failed(#condition, __FILE__, __LINE__); \
  } while (false)

#ifdef NDEBUG
#define HEARTH_DASSERT(condition) \
  do {                            \
  } while (false)
#else
#define HEARTH_DASSERT(condition) HEARTH_ASSERT(condition)
#endif
