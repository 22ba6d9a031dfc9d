# One target per directory, with its dependencies said.

# hearth_add_directories(DIR...): adds each that holds code; a room nobody has filled is left out.
function(hearth_add_directories)
  foreach(directory IN LISTS ARGN)
    set(absolute ${PROJECT_SOURCE_DIR}/${directory})
    file(GLOB found CONFIGURE_DEPENDS ${absolute}/*.cpp ${absolute}/*.h ${absolute}/*_test.py
      ${absolute}/*_test.sh)
    if(found AND EXISTS ${absolute}/CMakeLists.txt)
      add_subdirectory(${directory})
    endif()
  endforeach()
endfunction()

# hearth_module(NAME [HEADERS..] [SOURCES..] [PUBLIC_DEPS..] [PRIVATE_DEPS..] [TESTS..]
#               [TEST_DEPS..])
# Static library hearth_NAME (INTERFACE when there are only headers), alias hearth::NAME, and one
# test program NAME_test whose tests ctest knows one by one. Files that are not named are found:
# *.h, *.cpp, *_test.cpp here and below; main.cpp and *_main.cpp are programs, not of the library.
function(hearth_module name)
  cmake_parse_arguments(arg "" ""
    "HEADERS;SOURCES;PUBLIC_DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS" ${ARGN})
  set(here ${CMAKE_CURRENT_SOURCE_DIR})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${here}/*.h)
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${here}/*.cpp)
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "(_test|/main|_main)\\.cpp$")
  foreach(kind IN ITEMS HEADERS SOURCES TESTS)
    if(arg_${kind})
      string(TOLOWER ${kind} variable)
      list(TRANSFORM arg_${kind} PREPEND ${here}/ REGEX "^[^/]" OUTPUT_VARIABLE ${variable})
    endif()
  endforeach()
  hearth_existing(public ${arg_PUBLIC_DEPS})
  hearth_existing(private ${arg_PRIVATE_DEPS})

  set(target hearth_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(${target} PUBLIC ${public}
      PRIVATE ${private} $<BUILD_INTERFACE:hearth_flags> $<BUILD_INTERFACE:hearth_warnings>)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
    target_link_libraries(${target} INTERFACE ${public} ${private})
  endif()
  add_library(hearth::${name} ALIAS ${target})
  target_include_directories(${target} ${scope}
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  if(headers)
    target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src
      FILES ${headers})
  endif()

  if(HEARTH_TESTS AND tests)
    hearth_test(${name}_test LABEL unit SOURCES ${tests} DEPS hearth::${name} ${arg_TEST_DEPS})
  endif()
endfunction()

# hearth_test(TARGET LABEL l SOURCES.. DEPS..): one GoogleTest program; each test is one of ctest's.
function(hearth_test target)
  cmake_parse_arguments(arg "" "LABEL" "SOURCES;DEPS" ${ARGN})
  include(GoogleTest)
  hearth_existing(deps ${arg_DEPS})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${deps} hearth_flags hearth_test_warnings
    GTest::gtest_main GTest::gtest)
  target_compile_definitions(${target} PRIVATE HEARTH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600)
  set_property(GLOBAL APPEND PROPERTY HEARTH_TEST_TARGETS ${target})
endfunction()

# hearth_executable(TARGET [OUTPUT name] SOURCES.. DEPS..)
function(hearth_executable target)
  cmake_parse_arguments(arg "" "OUTPUT" "SOURCES;DEPS" ${ARGN})
  hearth_existing(deps ${arg_DEPS})
  add_executable(${target} ${arg_SOURCES})
  target_include_directories(${target} PRIVATE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${target} PRIVATE ${deps} hearth_flags hearth_warnings)
  if(arg_OUTPUT)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_OUTPUT})
  endif()
endfunction()

# hearth_script_tests(LABEL): *_test.cpp here become one program; each *_test.py and *_test.sh is a
# test by itself. All find the daemon in the environment variable HEARTH.
function(hearth_script_tests label)
  set(here ${CMAKE_CURRENT_SOURCE_DIR})
  file(GLOB tests CONFIGURE_DEPENDS ${here}/*_test.cpp)
  file(GLOB support CONFIGURE_DEPENDS ${here}/*.cpp)
  list(FILTER support EXCLUDE REGEX "(_test|/main|_main)\\.cpp$")
  file(GLOB scripts CONFIGURE_DEPENDS ${here}/*_test.py ${here}/*_test.sh)
  if(tests)
    hearth_test(${label}_test LABEL ${label} SOURCES ${tests} ${support} DEPS ${ARGN})
    if(TARGET hearth)
      target_compile_definitions(${label}_test PRIVATE HEARTH_BINARY="$<TARGET_FILE:hearth>")
      add_dependencies(${label}_test hearth)
    endif()
  endif()
  foreach(script IN LISTS scripts)
    get_filename_component(stem ${script} NAME_WE)
    if(script MATCHES "\\.py$")
      set(interpreter python3)
    else()
      set(interpreter bash)
    endif()
    add_test(NAME ${label}.${stem} COMMAND ${interpreter} ${script}
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${label}.${stem} PROPERTIES LABELS ${label} TIMEOUT 1200)
    if(TARGET hearth)
      set_tests_properties(${label}.${stem} PROPERTIES ENVIRONMENT "HEARTH=$<TARGET_FILE:hearth>")
    endif()
  endforeach()
endfunction()

# hearth_registry(TARGET KIND k PLURAL ks TYPE T HEADER h DIR d [NAMED N])
# Every d/STEM.cpp defines `const T k_STEM`; the generated table names them all, sorted by stem.
# The header h declares `struct NamedT { std::string_view name; const T* ...; };` and
# `std::span<const NamedT> ks();`, which the generated file defines.
function(hearth_registry target)
  cmake_parse_arguments(arg "" "KIND;PLURAL;TYPE;HEADER;DIR;NAMED" "" ${ARGN})
  if(NOT arg_NAMED)
    set(arg_NAMED Named${arg_TYPE})
  endif()
  set(directory ${CMAKE_CURRENT_SOURCE_DIR}/${arg_DIR})
  file(GLOB plugins CONFIGURE_DEPENDS ${directory}/*.cpp)
  list(FILTER plugins EXCLUDE REGEX "_test\\.cpp$")
  set(declarations "")
  set(rows "")
  set(stems "")
  foreach(plugin IN LISTS plugins)
    get_filename_component(stem ${plugin} NAME_WE)
    list(APPEND stems ${stem})
  endforeach()
  list(SORT stems)
  foreach(stem IN LISTS stems)
    string(APPEND declarations "extern const ${arg_TYPE} ${arg_KIND}_${stem};\n")
    string(APPEND rows "    ${arg_NAMED}{\"${stem}\", &${arg_KIND}_${stem}},\n")
  endforeach()
  if(stems)
    set(body "  static constexpr ${arg_NAMED} table[] = {\n${rows}  };\n  return table;\n")
  else()
    set(body "  return {};\n")
  endif()
  set(generated ${PROJECT_BINARY_DIR}/registry/${arg_PLURAL}.cpp)
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
"// Generated from the files of ${arg_DIR}/.
#include <span>

#include \"${arg_HEADER}\"

namespace hearth {

${declarations}
std::span<const ${arg_NAMED}> ${arg_PLURAL}() {
${body}}

}  // namespace hearth
")
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()  # A module of headers alone has no plug-in yet.
  endif()
  target_sources(${target} PRIVATE ${generated} ${plugins})
endfunction()

# Keeps of ARGN what is a target by now: a dependency on a room that is empty is none.
function(hearth_existing variable)
  set(found "")
  foreach(dependency IN LISTS ARGN)
    if(TARGET ${dependency})
      list(APPEND found ${dependency})
    elseif(NOT dependency MATCHES "::" OR NOT dependency MATCHES "^hearth")
      if(NOT HEARTH_CORE_ONLY)
        message(FATAL_ERROR "${CMAKE_CURRENT_SOURCE_DIR}: no target ${dependency}")
      endif()
    endif()
  endforeach()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()
