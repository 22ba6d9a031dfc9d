#include "cli/completions.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "cli/app.h"

namespace hearth {
namespace {

std::vector<const CLI::App*> children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

std::vector<const CLI::Option*> options(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return !option->get_group().empty(); });
}

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> words;
  for (const std::string& name : option.get_snames()) words.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) words.push_back("--" + name);
  return words;
}

// Every word that may follow `app`'s name.
std::string words_after(const CLI::App& app) {
  std::string words;
  for (const CLI::App* sub : children(app)) words += sub->get_name() + " ";
  for (const CLI::Option* option : options(app)) {
    for (const std::string& word : spellings(*option)) words += word + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

bool takes_components(const CLI::App& app) {
  return std::ranges::any_of(options(app), [](const CLI::Option* option) {
    return option->get_positional() && option->get_type_name() == "COMPONENT";
  });
}

std::string choices_of(const CLI::App& app) {
  for (const CLI::Option* option : options(app)) {
    const std::string type = option->get_type_name();
    if (!option->get_positional() || type.find('|') == std::string::npos) continue;
    std::string words = type;
    std::ranges::replace(words, '|', ' ');
    return words;
  }
  return {};
}

// Single quotes around, those inside written as '\''.
std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string roff(std::string_view text) {
  std::string result;
  bool is_line_start = true;
  for (const char c : text) {
    if (is_line_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    is_line_start = c == '\n';
  }
  return result;
}

void write_options(std::ostream& page, const CLI::App& app) {
  for (const CLI::Option* option : options(app)) {
    std::string names;
    if (option->get_positional()) names = option->get_name(true);
    for (const std::string& word : spellings(*option)) names += (names.empty() ? "" : ", ") + word;
    const bool is_flag = option->get_items_expected_max() == 0;
    const std::string type = option->get_type_name();
    if (!is_flag && !option->get_positional() && !type.empty()) names += " " + type;
    page << ".TP\n.B " << roff(names) << "\n" << roff(option->get_description()) << "\n";
  }
}

void write_command(std::ostream& page, const CLI::App& app, const std::string& path) {
  page << ".SS " << roff(path) << "\n" << roff(app.get_description()) << ".\n";
  write_options(page, app);
  for (const CLI::App* sub : children(app)) {
    write_command(page, *sub, path + " " + sub->get_name());
  }
}

}  // namespace

std::string bash_completions(const CLI::App& root) {
  std::ostringstream script;
  script << "# bash completions of hearth: source this, or put it into\n"
            "# ~/.local/share/bash-completion/completions/hearth\n"
            "_hearth() {\n"
            "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
            "  local command= inner= i words=\n"
            "  case $before in\n"
            "    --config | --output) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
            "    --url) return ;;\n"
            "  esac\n"
            "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
            "    case ${COMP_WORDS[i]} in\n"
            "      --config | --url) ((i++)) ;;\n"
            "      -*) ;;\n"
            "      *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; "
            "else inner=${COMP_WORDS[i]}; break; fi ;;\n"
            "    esac\n"
            "  done\n"
            "  case $command in\n"
            "    '') words="
         << shell_quoted(words_after(root)) << " ;;\n";
  for (const CLI::App* sub : children(root)) {
    script << "    " << sub->get_name() << ")\n";
    if (!children(*sub).empty()) {
      script << "      case $inner in\n";
      for (const CLI::App* leaf : children(*sub)) {
        script << "        " << leaf->get_name() << ") words=" << shell_quoted(words_after(*leaf))
               << " ;;\n";
      }
      script << "        *) words=" << shell_quoted(words_after(*sub)) << " ;;\n      esac\n";
    } else {
      std::string words = words_after(*sub);
      if (const std::string choices = choices_of(*sub); !choices.empty()) words += " " + choices;
      script << "      words=" << shell_quoted(words) << "\n";
    }
    if (takes_components(*sub)) {
      script << "      [[ $word == -* ]] || words+=\" $(hearth ps --names 2>/dev/null)\"\n";
    }
    script << "      ;;\n";
  }
  script << "  esac\n"
            "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
            "}\n"
            "complete -F _hearth hearth\n";
  return std::move(script).str();
}

std::string zsh_completions(const CLI::App& root) {
  std::ostringstream script;
  script << "#compdef hearth\n"
            "# zsh completions of hearth: put this into a folder of $fpath as _hearth\n"
            "_hearth() {\n"
            "  local -a commands\n"
            "  commands=(\n";
  for (const CLI::App* sub : children(root)) {
    script << "    " << shell_quoted(sub->get_name() + ":" + sub->get_description()) << "\n";
  }
  script << "  )\n"
            "  if ((CURRENT == 2)); then _describe command commands; return; fi\n"
            "  case ${words[CURRENT-1]} in\n"
            "    --config | --output) _files; return ;;\n"
            "  esac\n"
            "  case ${words[2]} in\n";
  for (const CLI::App* sub : children(root)) {
    std::string words = words_after(*sub);
    if (const std::string choices = choices_of(*sub); !choices.empty()) words += " " + choices;
    for (const CLI::App* leaf : children(*sub)) {
      for (const CLI::Option* option : options(*leaf)) {
        for (const std::string& word : spellings(*option)) {
          if ((" " + words + " ").find(" " + word + " ") == std::string::npos) words += " " + word;
        }
      }
    }
    script << "    " << sub->get_name() << ")\n      compadd -- " << words << "\n";
    if (takes_components(*sub)) {
      script << "      compadd -- ${(f)\"$(hearth ps --names 2>/dev/null)\"}\n";
    }
    script << "      ;;\n";
  }
  script << "  esac\n"
            "}\n"
            "_hearth \"$@\"\n";
  return std::move(script).str();
}

std::string fish_completions(const CLI::App& root) {
  std::ostringstream script;
  script << "# fish completions of hearth: put this into ~/.config/fish/completions/hearth.fish\n"
            "complete -c hearth -f\n";
  const auto write = [&](const std::string& condition, const CLI::App& app) {
    for (const CLI::App* sub : children(app)) {
      script << "complete -c hearth -n " << shell_quoted(condition) << " -a " << sub->get_name()
             << " -d " << shell_quoted(sub->get_description()) << "\n";
    }
    for (const CLI::Option* option : options(app)) {
      if (option->get_positional()) continue;
      script << "complete -c hearth -n " << shell_quoted(condition);
      for (const std::string& name : option->get_snames()) script << " -s " << name;
      for (const std::string& name : option->get_lnames()) script << " -l " << name;
      if (option->get_items_expected_max() != 0) script << " -r";
      if (option->get_type_name() == "FILE") script << " -F";
      script << " -d " << shell_quoted(option->get_description()) << "\n";
    }
  };
  write("__fish_use_subcommand", root);
  for (const CLI::App* sub : children(root)) {
    const std::string seen = "__fish_seen_subcommand_from " + sub->get_name();
    write(seen, *sub);
    if (const std::string choices = choices_of(*sub); !choices.empty()) {
      script << "complete -c hearth -n " << shell_quoted(seen) << " -a " << shell_quoted(choices)
             << "\n";
    }
    if (takes_components(*sub)) {
      script << "complete -c hearth -n " << shell_quoted(seen)
             << " -a '(hearth ps --names 2>/dev/null)'\n";
    }
  }
  return std::move(script).str();
}

std::string manual_page(const CLI::App& root) {
  std::ostringstream page;
  page << ".TH HEARTH 1 \"\" \"hearth " << hearth_version() << "\" \"User Commands\"\n"
       << ".SH NAME\nhearth \\- keeps heavy components warm inside a memory budget\n"
       << ".SH SYNOPSIS\n.B hearth\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n"
       << ".SH DESCRIPTION\n"
       << "Hearth starts heavy programs (model servers, speech, OCR, translation, any server) "
          "just before they are needed and ends them when they are not, inside a memory budget "
          "that it measures. One program is the daemon and its command line.\n"
       << ".SH OPTIONS\n";
  write_options(page, root);
  page << ".SH COMMANDS\n";
  for (const CLI::App* sub : children(root)) write_command(page, *sub, sub->get_name());
  page << ".SH FILES\n"
          ".TP\n.I $XDG_CONFIG_HOME/hearth/hearth.yaml\nThe configuration of a user.\n"
          ".TP\n.I /etc/hearth/hearth.yaml\nThe configuration of the machine.\n"
          ".TP\n.I STATE/address.json\nWhere the running daemon listens, and its process id.\n"
          ".TP\n.I STATE/logs/NAME.log\nWhat a component printed; older parts end in .1, .2, ...\n"
          ".SH ENVIRONMENT\n"
          ".TP\n.B HEARTH_CONFIG\nThe configuration, where \\-\\-config names none.\n"
          ".TP\n.B HEARTH_URL\nThe daemon, where \\-\\-url names none.\n"
          ".TP\n.B HEARTH_API_KEY\nThe key of a daemon that wants one.\n"
          ".TP\n.B NO_COLOR\nNo colour, whatever the terminal.\n"
          ".SH EXIT STATUS\n"
          "0 done, 1 refused or failed, 2 usage, 3 configuration, 4 no daemon, 5 timed out.\n";
  return std::move(page).str();
}

}  // namespace hearth
