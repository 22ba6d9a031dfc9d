# Flags for our own targets. Nothing here reaches a user of the libraries.

add_library(hearth_flags INTERFACE)
# Where floats decide, equal inputs give equal bits on every compiler and CPU.
target_compile_options(hearth_flags INTERFACE -ffp-contract=off)
target_compile_definitions(hearth_flags INTERFACE HEARTH_VERSION="${PROJECT_VERSION}")

# Both warning sets are errors; the tests go without the conversion warnings.
add_library(hearth_test_warnings INTERFACE)
# Designated initialisers name what differs from the default: that the rest is missing is the point.
target_compile_options(hearth_test_warnings INTERFACE -Wall -Wextra -Wshadow -Wpedantic -Werror
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # With optimisation or sanitizers, g++ 12 warns about std::string and std::vector themselves
  # (GCC bugs 105651, 105329, 107852): noise that would hide what is ours.
  target_compile_options(hearth_test_warnings INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-array-bounds -Wno-psabi)
else()
  target_compile_options(hearth_test_warnings INTERFACE -Wthread-safety)
endif()
add_library(hearth_warnings INTERFACE)
target_link_libraries(hearth_warnings INTERFACE hearth_test_warnings)
target_compile_options(hearth_warnings INTERFACE -Wconversion -Wsign-conversion)

find_program(HEARTH_CCACHE ccache)
mark_as_advanced(HEARTH_CCACHE)
if(HEARTH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${HEARTH_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HEARTH_CCACHE})
endif()
