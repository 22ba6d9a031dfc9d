#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <span>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/discovery.h"
#include "cli/places.h"
#include "net/http_client.h"
#include "runtime/files.h"

namespace hearth {
namespace {

bool is_listening(int port) {
  return try_connect({.port = static_cast<std::uint16_t>(port)}, 200ms).has_value();
}

// O_EXCL: what is there already is never overwritten.
Result<> write_new(const std::string& path, const std::string& text) {
  const std::string folder = std::filesystem::path{path}.parent_path();
  if (!folder.empty()) HEARTH_TRY(make_directories(folder));
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file.is_open()) {
    const int error = errno;
    if (error == EEXIST) {
      return fail(Errc::conflict, path +
                                      ": is there already and is never overwritten; "
                                      "`--output FILE` writes elsewhere");
    }
    return fail(Errc::io, path + ": " + error_text(error));
  }
  if (!write_all(file.get(), std::as_bytes(std::span{text}))) {
    return fail(Errc::io, path + ": " + error_text(errno));
  }
  return {};
}

Result<int> run(Console& console, const std::string& output) {
  std::string path = output;
  if (path.empty()) {
    path = config_candidates(console.options().config, console.streams().environment).front();
  }
  const auto findings = discover(console.streams().environment, is_listening);
  const std::string text = first_config(findings, {.is_root = ::geteuid() == 0});
  if (path == "-") {
    console.out() << text;
    return 0;
  }
  HEARTH_TRY(write_new(path, text));
  if (console.is_json()) {
    OrderedJson found = OrderedJson::array();
    for (const Finding& finding : findings) {
      found.push_back({{"name", std::string{finding.candidate->name}},
                       {"program", finding.path},
                       {"listening", finding.is_listening}});
    }
    console.print(OrderedJson{{"path", path}, {"found", std::move(found)}});
    return 0;
  }
  for (const Finding& finding : findings) {
    console.out() << "found " << finding.candidate->program << ": "
                  << (finding.path.empty() ? "it listens" : finding.path)
                  << (finding.candidate->is_complete && !finding.path.empty()
                          ? ""
                          : " (to be completed by you)")
                  << "\n";
  }
  console.out() << "wrote " << path << "\n"
                << "Look at it, then: hearth config check && hearth serve\n";
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto output = std::make_unique<std::string>();
  arguments.text(
      *output,
      {.name = "--output", .help = "Where to write it; - for standard output", .type = "FILE"});
  return [output = std::move(output)](Console& console) { return run(console, *output); };
}

}  // namespace

extern const Command command_init;
const Command command_init{
    .summary = "Write a first hearth.yaml from what is installed or running here",
    .group = CommandGroup::configuration,
    .declare = declare,
};

}  // namespace hearth
