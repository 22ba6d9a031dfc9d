// The log file of one component: what it writes, kept within bounds.
//
// Contract   take() appends bytes to the file; at 4 MiB the file becomes NAME.1, that one NAME.2,
//            and so on, three kept. The last line with text in it is remembered; take() tells
//            whether a line with `wanted` in it has come. A disk that is full loses output, never
//            the component.
// Threads    thread-compatible.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/files.h"

namespace hearth {

class ComponentLog {
 public:
  static constexpr std::size_t size_max = 4 * 1024 * 1024;
  static constexpr int kept = 3;

  explicit ComponentLog(std::string path);

  // True when `wanted` is not empty and was seen in a line, now.
  bool take(std::string_view bytes, std::string_view wanted = {});
  [[nodiscard]] std::string last_line() const;

 private:
  void open();
  void rotate();

  std::string path_;
  Descriptor file_;
  std::size_t size_ = 0;
  std::string line_;  // under way
  std::string last_;  // the last whole one with text in it
};

}  // namespace hearth
