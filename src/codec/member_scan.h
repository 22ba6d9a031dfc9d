// A few members of a request's body, found while its bytes arrive.
//
// Contract   JsonMembers looks for members of the outermost JSON object; MultipartFields for fields
//            of multipart/form-data (RFC 7578). feed() may be called with the payload cut anywhere;
//            the values found are the same. Neither keeps the body: what is remembered is the
//            values asked for and a few bytes between calls. They do not check what they skip: that
//            is for whoever the body is meant for.
// Domain     of a member given twice the last counts, as most readers have it. A value longer than
//            `value_bytes_max` is bad. A JSON value that is an object or a list is "{" or "[".
// Errors     is_bad(): not an object, or not multipart; what() says it in words.
// Threads    thread-compatible.  Cost  one pass; strings that nobody asked for are skipped by a
//            search for their end.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

class JsonMembers {
 public:
  static constexpr std::size_t value_bytes_max = 4096;

  explicit JsonMembers(std::vector<std::string> names);
  void feed(std::string_view bytes);

  [[nodiscard]] bool is_bad() const { return state_ == State::bad; }
  [[nodiscard]] bool is_done() const { return state_ == State::done; }  // the object has ended
  [[nodiscard]] std::string_view what() const { return what_; }
  // As it is written: "\"llama\"", "12", "true".
  [[nodiscard]] const std::optional<std::string>& raw(std::size_t index) const {
    return values_[index];
  }
  // Of a string, its text; none for anything else.
  [[nodiscard]] std::optional<std::string> text(std::size_t index) const;

 private:
  enum class State : unsigned char {
    start,
    key_or_end,
    key_begin,
    key,
    colon,
    value_begin,
    scalar,        // a number or a word
    string_value,  // outermost
    nested,
    nested_string,
    after_value,
    done,
    bad,
  };
  void step(char c);
  void begin_value(char c);
  void end_value();
  void refuse(std::string_view what);
  void keep(char c);
  [[nodiscard]] std::size_t skip_string(std::string_view bytes, std::size_t at);

  std::vector<std::string> names_;
  std::vector<std::optional<std::string>> values_;
  State state_ = State::start;
  bool is_escaped_ = false;
  std::size_t depth_ = 0;  // within a nested value
  std::string key_;
  std::string value_;
  std::optional<std::size_t> wanted_;  // whose value is being read
  std::string_view what_;
};

class MultipartFields {
 public:
  static constexpr std::size_t value_bytes_max = 4096;

  // The boundary of a content type; none when it is not multipart/form-data with one.
  [[nodiscard]] static std::optional<std::string> boundary_of(std::string_view content_type);

  MultipartFields(std::string_view boundary, std::vector<std::string> names);
  void feed(std::string_view bytes);

  [[nodiscard]] bool is_bad() const { return state_ == State::bad; }
  [[nodiscard]] bool is_done() const { return state_ == State::done; }
  [[nodiscard]] std::string_view what() const { return what_; }
  [[nodiscard]] const std::optional<std::string>& text(std::size_t index) const {
    return values_[index];
  }

 private:
  enum class State : unsigned char { data, after_delimiter, header, done, bad };
  // True when it took something of carry_ and can go on.
  bool go_on();
  bool take_data();
  bool take_header();
  void end_part();
  void refuse(std::string_view what);

  std::string delimiter_;  // CR LF -- boundary
  std::vector<std::string> names_;
  std::vector<std::optional<std::string>> values_;
  State state_ = State::data;
  std::string carry_;  // arrived and not yet decided
  bool is_preamble_ = true;
  std::optional<std::size_t> wanted_;
  std::string value_;
  std::string_view what_;
};

}  // namespace hearth
