#include "cli/completions.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "cli/app.h"

namespace hearth {
namespace {

// Every word that may follow `command`'s name.
std::string words_after(const Outline& command) {
  std::string words;
  for (const Outline& sub : command.commands) words += sub.name + " ";
  for (const Outline::Entry& entry : command.entries) {
    for (const std::string& word : entry.spellings) words += word + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

bool takes_components(const Outline& command) {
  return std::ranges::any_of(command.entries, [](const Outline::Entry& entry) {
    return !entry.place.empty() && entry.type == "COMPONENT";
  });
}

bool takes_file(const Outline& command) {
  return std::ranges::any_of(command.entries, [](const Outline::Entry& entry) {
    return !entry.place.empty() && entry.type == "FILE";
  });
}

std::string choices_of(const Outline& command) {
  for (const Outline::Entry& entry : command.entries) {
    if (entry.place.empty() || entry.type.find('|') == std::string::npos) continue;
    std::string words = entry.type;
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

void write_options(std::ostream& page, const Outline& command) {
  for (const Outline::Entry& entry : command.entries) {
    std::string names = entry.place;
    for (const std::string& word : entry.spellings) names += (names.empty() ? "" : ", ") + word;
    if (entry.has_value && entry.place.empty() && !entry.type.empty()) names += " " + entry.type;
    page << ".TP\n.B " << roff(names) << "\n" << roff(entry.help) << "\n";
  }
}

void write_command(std::ostream& page, const Outline& command, const std::string& path) {
  page << ".SS " << roff(path) << "\n" << roff(command.summary) << ".\n";
  write_options(page, command);
  for (const Outline& sub : command.commands) {
    write_command(page, sub, path + " " + sub.name);
  }
}

}  // namespace

std::string bash_completions(const Outline& root) {
  std::ostringstream script;
  script << "# bash completions of hearth: source this, or put it into\n"
            "# ~/.local/share/bash-completion/completions/hearth\n"
            "_hearth() {\n"
            "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
            "  local command= inner= i words= files=\n"
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
  for (const Outline& sub : root.commands) {
    script << "    " << sub.name << ")\n";
    if (!sub.commands.empty()) {
      script << "      case $inner in\n";
      for (const Outline& leaf : sub.commands) {
        script << "        " << leaf.name << ") words=" << shell_quoted(words_after(leaf))
               << (takes_file(leaf) ? " files=1 ;;\n" : " ;;\n");
      }
      script << "        *) words=" << shell_quoted(words_after(sub)) << " ;;\n      esac\n";
    } else {
      std::string words = words_after(sub);
      if (const std::string choices = choices_of(sub); !choices.empty()) words += " " + choices;
      script << "      words=" << shell_quoted(words) << "\n";
    }
    if (takes_components(sub)) {
      script << "      [[ $word == -* ]] || words+=\" $(hearth ps --names 2>/dev/null)\"\n";
    }
    script << "      ;;\n";
  }
  script << "  esac\n"
            "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
            "  [[ -z $files || $word == -* ]] || COMPREPLY+=($(compgen -f -- \"$word\"))\n"
            "}\n"
            "complete -F _hearth hearth\n";
  return std::move(script).str();
}

std::string zsh_completions(const Outline& root) {
  std::ostringstream script;
  script << "#compdef hearth\n"
            "# zsh completions of hearth: put this into a folder of $fpath as _hearth\n"
            "_hearth() {\n"
            "  local -a commands\n"
            "  commands=(\n";
  for (const Outline& sub : root.commands) {
    script << "    " << shell_quoted(sub.name + ":" + sub.summary) << "\n";
  }
  script << "  )\n"
            "  if ((CURRENT == 2)); then _describe command commands; return; fi\n"
            "  case ${words[CURRENT-1]} in\n"
            "    --config | --output) _files; return ;;\n"
            "  esac\n"
            "  case ${words[2]} in\n";
  for (const Outline& sub : root.commands) {
    std::string words = words_after(sub);
    if (const std::string choices = choices_of(sub); !choices.empty()) words += " " + choices;
    for (const Outline& leaf : sub.commands) {
      for (const Outline::Entry& entry : leaf.entries) {
        for (const std::string& word : entry.spellings) {
          if ((" " + words + " ").find(" " + word + " ") == std::string::npos) words += " " + word;
        }
      }
    }
    script << "    " << sub.name << ")\n      compadd -- " << words << "\n";
    for (const Outline& leaf : sub.commands) {
      if (takes_file(leaf)) script << "      [[ ${words[3]} != " << leaf.name << " ]] || _files\n";
    }
    if (takes_components(sub)) {
      script << "      compadd -- ${(f)\"$(hearth ps --names 2>/dev/null)\"}\n";
    }
    script << "      ;;\n";
  }
  script << "  esac\n"
            "}\n"
            "_hearth \"$@\"\n";
  return std::move(script).str();
}

std::string fish_completions(const Outline& root) {
  std::ostringstream script;
  script << "# fish completions of hearth: put this into ~/.config/fish/completions/hearth.fish\n"
            "complete -c hearth -f\n";
  const auto write = [&](const std::string& condition, const Outline& command) {
    for (const Outline& sub : command.commands) {
      script << "complete -c hearth -n " << shell_quoted(condition) << " -a " << sub.name << " -d "
             << shell_quoted(sub.summary) << "\n";
    }
    for (const Outline::Entry& entry : command.entries) {
      if (!entry.place.empty()) continue;
      script << "complete -c hearth -n " << shell_quoted(condition);
      for (const std::string& word : entry.spellings) {
        const bool is_long = word.starts_with("--");
        script << (is_long ? " -l " : " -s ") << word.substr(is_long ? 2 : 1);
      }
      if (entry.has_value) script << " -r";
      if (entry.type == "FILE") script << " -F";
      script << " -d " << shell_quoted(entry.help) << "\n";
    }
  };
  write("__fish_use_subcommand", root);
  for (const Outline& sub : root.commands) {
    const std::string seen = "__fish_seen_subcommand_from " + sub.name;
    write(seen, sub);
    for (const Outline& leaf : sub.commands) {
      if (!takes_file(leaf)) continue;
      script << "complete -c hearth -n "
             << shell_quoted(seen + "; and __fish_seen_subcommand_from " + leaf.name) << " -F\n";
    }
    if (const std::string choices = choices_of(sub); !choices.empty()) {
      script << "complete -c hearth -n " << shell_quoted(seen) << " -a " << shell_quoted(choices)
             << "\n";
    }
    if (takes_components(sub)) {
      script << "complete -c hearth -n " << shell_quoted(seen)
             << " -a '(hearth ps --names 2>/dev/null)'\n";
    }
  }
  return std::move(script).str();
}

std::string manual_page(const Outline& root) {
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
  for (const Outline& sub : root.commands) write_command(page, sub, sub.name);
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
