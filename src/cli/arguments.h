// What a command takes, and what it was given: the one door to the library that reads the
// command line.
//
// Contract   each declaration binds a variable that parse() writes to, so it must outlive it; what
//            is not given leaves it as it is. Names are "--long", "-s,--long", or a bare word for
//            a place; a list takes all places that are left. outline() says what parse() takes, in
//            the order of declaration.
// Errors     none before parse(), which says what is wrong in one line.
// Threads    thread-compatible.
// Cost       the library's headers take seconds to compile: arguments.cpp alone includes them.
// Example
//            arguments.list(names, {.name = "names", .help = "Which", .type = "COMPONENT",
//                                   .is_required = true});
//            arguments.flag(is_all, {.name = "--all", .help = "All of them"});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own
class App;
}

namespace hearth {

struct Argument {
  std::string_view name;
  std::string_view help;
  std::string_view type = {};   // what stands for its value in help; a flag has none
  std::string_view group = {};  // the heading that help shows it under; empty: with the others
  bool is_required = false;
  // The only words it may be; their type is "a|b".
  std::vector<std::string_view> choices = {};
};

struct Subcommand {
  std::string_view name;
  std::string_view summary;
  std::string_view group = {};
  bool is_outer_taken = false;  // the outer command's options may follow it too
};

struct Program {
  std::string_view name;
  std::string_view summary;
  std::string_view version;
  std::string_view footer;  // of its help
};

// What parse() came to.
struct Parsing {
  enum class Outcome : unsigned char { run, answered, wrong };
  Outcome outcome = Outcome::run;
  std::string text = {};     // answered: the help or the version; wrong: what is wrong
  std::string command = {};  // wrong: what it was said to; empty: the program
};

// A command and what it takes, as completions and the manual page need it.
struct Outline {
  struct Entry {
    std::vector<std::string> spellings;  // "-f", "--follow"; none for a place
    std::string place;                   // its name there; empty: not a place
    std::string type;
    std::string help;
    bool has_value = false;
  };
  std::string name;
  std::string summary;
  std::vector<Entry> entries;
  std::vector<Outline> commands;
};

class Arguments {
 public:
  explicit Arguments(const Program& program);
  ~Arguments();
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  void text(std::string& value, const Argument& argument);
  void list(std::vector<std::string>& values, const Argument& argument);
  void flag(bool& value, const Argument& argument);
  // A whole number, 0 or more.
  void number(std::uint32_t& value, const Argument& argument);
  void number(std::uint64_t& value, const Argument& argument);
  void number(std::optional<std::uint64_t>& value, const Argument& argument);

  // A command below this one, owned by it; help lists groups in the order of their first command.
  Arguments& command(const Subcommand& subcommand);
  // It is nothing without a command below it.
  void require_command();
  // Words that nothing was declared for are no error.
  void allow_other_words();

  // `words` without the program's name. Once, and of the program only.
  [[nodiscard]] Parsing parse(const std::vector<std::string>& words);
  // This command was named.
  [[nodiscard]] bool is_given() const;
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string help() const;
  [[nodiscard]] Outline outline() const;

 private:
  explicit Arguments(CLI::App& app);

  std::unique_ptr<CLI::App> program_;  // null below the program
  CLI::App& app_;
  std::vector<std::unique_ptr<Arguments>> commands_;
};

}  // namespace hearth
