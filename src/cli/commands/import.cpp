#include "codec/import.h"

#include <algorithm>
#include <memory>
#include <ostream>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/console.h"
#include "net/http_client.h"
#include "runtime/files.h"

namespace hearth {
namespace {

struct Options {
  std::string file;
  std::string url;
};

std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// The configuration alone goes to standard output, which is redirected as a rule: what a person
// has to read goes to standard error.
int show(Console& console, const std::string& origin, const Imported& imported) {
  const int code = imported.yaml ? 0 : 3;
  if (console.is_json()) {
    OrderedJson notes = OrderedJson::array();
    for (const ConfigProblem& note : imported.notes) notes.push_back(problem_json(note));
    console.print(
        OrderedJson{{"from", origin},
                    {"yaml", imported.yaml ? OrderedJson(*imported.yaml) : OrderedJson(nullptr)},
                    {"components", imported.components},
                    {"notes", std::move(notes)}});
    return code;
  }
  if (imported.yaml) console.out() << *imported.yaml;
  console.out().flush();
  for (const ConfigProblem& note : imported.notes) {
    console.err() << printable(to_text(note, origin)) << "\n";
  }
  if (imported.yaml) {
    console.err() << "hearth import: " << plural(imported.components.size(), "component") << " and "
                  << plural(imported.notes.size(), "note")
                  << (imported.notes.empty() ? "" : ", which also stand at the head of the file")
                  << "; next: hearth config check FILE\n";
  } else {
    const auto errors = std::ranges::count_if(imported.notes, &ConfigProblem::is_error);
    console.err() << "hearth import: nothing is written, because of "
                  << plural(static_cast<std::size_t>(errors), "error") << "\n";
  }
  return code;
}

using Importer = Imported (*)(std::string_view text);

Result<int> import_file(Console& console, const std::string& path, Importer importer) {
  const auto text = read_file(path);
  if (!text) {
    console.mark_bad_config();
    return std::unexpected(text.error());
  }
  return show(console, path, importer(*text));
}

Result<std::string> ask(HttpClient& client, const std::string& path) {
  const HttpReply reply = HEARTH_TRY(client.send({.path = path}));
  if (reply.status == 200) return reply.body;
  return fail(Errc::failed, to_text(client.address()) + path + " was answered with " +
                                std::to_string(reply.status) + ": is it Ollama?");
}

Result<int> import_running_ollama(Console& console, const std::string& given) {
  const std::string host = given.empty() ? console.environment("OLLAMA_HOST").value_or("") : given;
  const HttpAddress address = HEARTH_TRY(parse_http_address(ollama_url(host)));
  HttpClient client{address};
  OllamaAnswers answers{.url = to_text(address), .tags = {}, .running = {}, .version = {}};
  auto tags = ask(client, "/api/tags");
  if (!tags && tags.error().code == Errc::unavailable) {
    return fail(Errc::unavailable, "no Ollama answers at " + answers.url +
                                       ": start it with `ollama serve`, or say where it is "
                                       "with --url or OLLAMA_HOST");
  }
  answers.tags = HEARTH_TRY(std::move(tags));
  // Old servers have neither; the models are there all the same.
  answers.running = ask(client, "/api/ps").value_or("");
  answers.version = ask(client, "/api/version").value_or("");
  return show(console, answers.url, import_ollama(answers));
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.require_command();
  Arguments& swap =
      arguments.command({.name = "llama-swap",
                         .summary = "A llama-swap configuration: models, groups, macros",
                         .is_outer_taken = true});
  Arguments& jarvis =
      arguments.command({.name = "jarvis",
                         .summary = "components.json of the Python component manager",
                         .is_outer_taken = true});
  Arguments& ollama = arguments.command(
      {.name = "ollama", .summary = "The models of a running Ollama", .is_outer_taken = true});
  swap.text(options->file,
            {.name = "file", .help = "Its config.yaml", .type = "FILE", .is_required = true});
  jarvis.text(options->file,
              {.name = "file", .help = "Its components.json", .type = "FILE", .is_required = true});
  ollama.text(options->url, {.name = "--url",
                             .help = "Where it is; else $OLLAMA_HOST, else http://127.0.0.1:11434",
                             .type = "URL"});
  return [options = std::move(options), &swap, &jarvis](Console& console) -> Result<int> {
    if (swap.is_given()) return import_file(console, options->file, import_llama_swap);
    if (jarvis.is_given()) return import_file(console, options->file, import_jarvis);
    return import_running_ollama(console, options->url);
  };
}

}  // namespace

extern const Command command_import;
const Command command_import{
    .summary = "Print a hearth.yaml made of another program's configuration",
    .group = CommandGroup::configuration,
    .declare = declare,
};

}  // namespace hearth
