// The models of a running Ollama: what it has, and what of it is loaded now.
#include <algorithm>
#include <charconv>
#include <map>

#include "codec/config_reader.h"
#include "codec/import_parts.h"
#include "codec/json_tree.h"

namespace hearth {
namespace {

struct OllamaModel {
  std::string name;
  std::uint64_t size = 0;
  std::string remote_host;  // not empty: it runs somewhere else
};

std::string member(const YamlNode& node, std::string_view key) {
  const YamlNode* found = node.find(key);
  return found != nullptr && found->is_scalar() ? found->text : "";
}

std::uint64_t size_of(const YamlNode& node) {
  const std::string text = member(node, "size");
  std::uint64_t size = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, size);
  const bool is_good = error == std::errc{} && at == end && size < (1ULL << 62);
  return is_good ? size : 0;
}

// `models` of an answer; an error when there is none, as it is no Ollama that answered then.
std::vector<OllamaModel> models_of(const std::string& answer, std::string_view path,
                                   ImportNotes& notes) {
  ImportNotes own;
  YamlTree tree = read_json_tree(answer);
  const YamlNode* root = section_of(tree, own);
  const YamlNode* list = root != nullptr ? root->find("models") : nullptr;
  // A server without any model answers null in some versions.
  const bool is_list = list != nullptr && (list->is_list() || list->is_null());
  if (!is_list) {
    notes.error({},
                "the answer to GET " + std::string{path} + " has no list `models`: is it Ollama?");
    return {};
  }
  std::vector<OllamaModel> models;
  for (const YamlNode& item : list->items) {
    OllamaModel model{.name = member(item, "model"),
                      .size = size_of(item),
                      .remote_host = member(item, "remote_host")};
    if (model.name.empty()) model.name = member(item, "name");
    if (!model.name.empty()) models.push_back(std::move(model));
  }
  return models;
}

constexpr std::string_view latest = ":latest";

// Clients leave the tag `latest` out, and so does the name.
std::string short_name(const std::string& name) {
  return name.ends_with(latest) ? name.substr(0, name.size() - latest.size()) : name;
}

// Rounded up, as it is the most that it may take: to two decimals of what it is told in.
std::string memory_text(std::uint64_t size) {
  constexpr std::uint64_t megabyte = 1'000'000;
  const std::uint64_t step = size > 1000 * megabyte ? 10 * megabyte : megabyte;
  return yaml_size(Bytes{(size + step - 1) / step * step});
}

void note_models(const std::vector<OllamaModel>& models,
                 const std::map<std::string, std::uint64_t>& running, ImportNotes& notes) {
  std::size_t unmeasured = 0;
  for (const OllamaModel& model : models) {
    if (!running.contains(model.name)) ++unmeasured;
  }
  if (models.empty()) notes.note({}, "it has no models: `ollama pull NAME`, then import again");
  if (unmeasured > 0) {
    notes.note({}, "`memory` of " + std::to_string(unmeasured) +
                       " models that are not running is the size of their files, without what a "
                       "context takes: run them and import again, or raise it");
  }
  notes.note({},
             "the server's own settings (OLLAMA_KEEP_ALIVE, OLLAMA_MAX_LOADED_MODELS, ...) are "
             "not told by its API and go on acting beside Hearth");
}

// "# Ollama 0.9.0 at http://127.0.0.1:11434".
std::string origin_comment(const OllamaAnswers& answers) {
  std::string version;
  if (const YamlTree tree = read_json_tree(answers.version); tree.root) {
    version = member(*tree.root, "version");
  }
  return "# Ollama" + (version.empty() ? "" : " " + version) + " at " + answers.url;
}

}  // namespace

Imported import_ollama(const OllamaAnswers& answers) {
  ImportNotes notes;
  std::vector<OllamaModel> models = models_of(answers.tags, "/api/tags", notes);
  std::map<std::string, std::uint64_t> running;
  if (!answers.running.empty()) {
    for (const OllamaModel& model : models_of(answers.running, "/api/ps", notes)) {
      running[model.name] = model.size;
    }
  }
  std::erase_if(models, [&](const OllamaModel& model) {
    if (model.remote_host.empty()) return false;
    notes.note({}, quoted(model.name) + " is left out: it runs at " + quoted(model.remote_host) +
                       ", so that there is nothing to load here");
    return true;
  });
  if (models.size() > import_components_max) {
    notes.error({}, "more than " + std::to_string(import_components_max) + " models");
  }
  if (notes.has_error()) return finish_import("ollama", "", {}, std::move(notes));
  note_models(models, running, notes);
  std::vector<std::string> originals;
  for (const OllamaModel& model : models) originals.push_back(short_name(model.name));
  ComponentNames names{originals};
  std::string body = comment_text(origin_comment(answers)) + "\n";
  body += models.empty() ? "components: {}\n" : "components:\n";
  YamlSection root{body, 1};
  std::vector<std::string> written;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const OllamaModel& model = models[i];
    names.keep_alias(i, model.name, {}, notes);
    names.keep_alias(i, originals[i], {}, notes);
    YamlSection section = root.open(names.name(i));
    section.add("kind", "http");
    section.add("preset", "ollama");
    section.add("url", yaml_text(answers.url));
    section.add("model", yaml_text(model.name));
    const auto loaded = running.find(model.name);
    const std::uint64_t size = loaded != running.end() ? loaded->second : model.size;
    if (size > 0) section.add("memory", memory_text(size));
    if (!names.aliases(i).empty()) section.add("aliases", yaml_scalars(names.aliases(i)));
    written.push_back(names.name(i));
  }
  return finish_import("ollama", body, std::move(written), std::move(notes));
}

std::string ollama_url(std::string_view host) {
  const auto trimmed = [](std::string_view text) {
    while (!text.empty() && std::string_view{" \t'\""}.contains(text.front()))
      text.remove_prefix(1);
    while (!text.empty() && std::string_view{" \t'\"/"}.contains(text.back()))
      text.remove_suffix(1);
    return text;
  };
  std::string_view rest = trimmed(host);
  const std::size_t colons = rest.find("://");
  const std::string scheme{colons == std::string_view::npos ? "http" : rest.substr(0, colons)};
  std::string port = scheme == "https" ? "443" : colons == std::string_view::npos ? "11434" : "80";
  if (colons != std::string_view::npos) rest.remove_prefix(colons + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view path = rest.substr(slash);
  rest = rest.substr(0, slash);
  // An IPv6 address has colons of its own: in brackets, or alone.
  const std::size_t bracket = rest.find(']');
  const bool is_bare_v6 = bracket == std::string_view::npos && std::ranges::count(rest, ':') > 1;
  const std::size_t colon = is_bare_v6
                                ? std::string_view::npos
                                : rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string name{rest.substr(0, std::min(colon, rest.size()))};
  if (colon != std::string_view::npos) port = rest.substr(colon + 1);
  if (is_bare_v6) name = "[" + name + "]";
  if (name.empty() || name == "0.0.0.0" || name == "[::]") name = "127.0.0.1";
  return scheme + "://" + name + ":" + port + std::string{path};
}

}  // namespace hearth
