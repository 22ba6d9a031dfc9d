# hearth_boost: Boost's headers, with Asio and Beast compiled once instead of in every file.

find_package(Boost 1.74 REQUIRED)
set(boost_source ${PROJECT_BINARY_DIR}/boost/asio_and_beast.cpp)
file(CONFIGURE OUTPUT ${boost_source} @ONLY CONTENT
"#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
")
add_library(hearth_boost STATIC ${boost_source})
target_link_libraries(hearth_boost PUBLIC Boost::headers Threads::Threads)
# Boost 1.74 uses std::exchange without including <utility>, which libstdc++ 12 notices.
target_compile_options(hearth_boost PUBLIC $<$<COMPILE_LANGUAGE:CXX>:-includeutility> PRIVATE -w)
target_compile_definitions(hearth_boost PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
