// llama-swap's configuration: its models become components, its groups or matrix conflicts.
#include <algorithm>
#include <array>

#include "codec/config_reader.h"
#include "codec/import_parts.h"
#include "codec/llama_swap_macros.h"
#include "codec/llama_swap_model.h"
#include "codec/llama_swap_rivals.h"

namespace hearth {
namespace {

struct LeftOut {
  std::string_view key;
  std::string_view advice;
};
constexpr std::string_view of_its_own = "it is about llama-swap's own pages, logs or figures";
constexpr std::array left_out_keys{
    LeftOut{"startPort", "Hearth takes a free port for each start"},
    LeftOut{"sendLoadingState",
            "`gateway: {keep_alive: 5s}` sends comments to streams while a component is loaded"},
    LeftOut{"peers", "servers on other machines are no components"},
    LeftOut{"profiles", "give the names that clients send as `aliases`"},
    LeftOut{"selectors", "clients name a component, or `auto`"},
    LeftOut{"upstream", "any path below /upstream/NAME loads it"},
    LeftOut{"tailcat", "Hearth listens at `listen` alone"},
    LeftOut{"logToStdout", of_its_own},
    LeftOut{"logTimeFormat", of_its_own},
    LeftOut{"logRequests", of_its_own},
    LeftOut{"metricsMaxInMemory", of_its_own},
    LeftOut{"captureBuffer", of_its_own},
    LeftOut{"store", of_its_own},
    LeftOut{"ui", of_its_own},
    LeftOut{"performance", of_its_own},
};
constexpr std::array<std::string_view, 11> read_keys{
    "models",    "macros",        "healthCheckTimeout",
    "globalTTL", "unloadTimeout", "logLevel",
    "apiKeys",   "groups",        "matrix",
    "routing",   "hooks"};

class LlamaSwapImport {
 public:
  LlamaSwapImport(const YamlNode& root, const YamlNode& models, ImportNotes& notes)
      : root_(root), source_(models), notes_(notes), names_(originals(models)), macros_(notes) {}

  void read() {
    if (const YamlNode* macros = root_.find("macros")) macros_.define(*macros);
    read_settings();
    models_.resize(source_.items.size());
    for (std::size_t i = 0; i < source_.items.size(); ++i) {
      const YamlNode& section = source_.items[i];
      if (!section.is_map()) {
        notes_.error(section.place,
                     name(i) + ": expected a section with `cmd`, not " + described(section));
        continue;
      }
      macros_.begin_model(source_.keys[i].text, section.find("macros"), name(i) + ": ");
      models_[i] = read_llama_swap_model(
          {.section = section, .place = source_.keys[i].place, .name = name(i)}, macros_, notes_);
    }
    is_eager_.assign(models_.size(), false);
    read_hooks();
    read_routing();
    if (notes_.has_error()) return;
    keep_aliases();
    part_same_ports();
    note_eager_rivals();
  }

  [[nodiscard]] std::string body() const {
    std::string out;
    YamlSection root{out, 0};
    if (!listen_.empty()) root.open("listen").add("http", yaml_scalar(listen_));
    if (!api_key_.empty()) root.add("api_key", yaml_scalar(with_env_macros(api_key_)));
    if (!log_level_.empty()) root.open("log").add("level", log_level_);
    root.open("loading").add("timeout", seconds(timeout_s_));
    const unsigned patience = longest_timeout();
    if (patience > patience_usual_s) root.open("gateway").add("patience", seconds(patience));
    if (models_.empty()) return out + "components: {}\n";
    const bool has_rivals =
        std::ranges::any_of(rivals_, [](const auto& each) { return !each.empty(); });
    if (has_rivals) {
      out +=
          "# `conflicts` are llama-swap's rule of which models may run together: one at a time "
          "if it\n# says nothing else. Drop those between models that fit into memory "
          "together: Hearth\n# measures what each takes, and makes room when there is none.\n";
    }
    YamlSection components = root.open("components");
    for (std::size_t i = 0; i < models_.size(); ++i) write(components, i);
    return out;
  }
  [[nodiscard]] std::vector<std::string> component_names() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < models_.size(); ++i) all.push_back(name(i));
    return all;
  }

 private:
  static constexpr unsigned patience_usual_s = 120;
  static constexpr unsigned timeout_least_s = 15;

  static std::vector<std::string> originals(const YamlNode& models) {
    std::vector<std::string> all;
    for (const YamlKey& key : models.keys) all.push_back(key.text);
    return all;
  }
  static std::string seconds(unsigned count) { return yaml_duration(Duration{1s} * count); }
  [[nodiscard]] const std::string& name(std::size_t i) const { return names_.name(i); }

  void read_settings() {
    for (std::size_t i = 0; i < root_.keys.size(); ++i) {
      const YamlKey& key = root_.keys[i];
      const YamlNode& value = root_.items[i];
      if (value.is_null()) continue;
      const auto left_out = std::ranges::find(left_out_keys, key.text, &LeftOut::key);
      if (left_out != left_out_keys.end()) {
        if (is_without_effect(value)) continue;
        notes_.note(key.place, "`" + key.text + "` is left out: " + std::string{left_out->advice});
      } else if (key.text == "includeAliasesInList") {
        if (truth_of(value) == true) continue;
        notes_.note(key.place, "`" + key.text + "` is left out: /v1/models lists aliases always");
      } else if (std::ranges::find(read_keys, key.text) == read_keys.end()) {
        const std::vector<std::string> known{read_keys.begin(), read_keys.end()};
        notes_.note(key.place, "unknown key " + quoted(key.text) + ", left out" +
                                   did_you_mean(key.text, known));
      } else {
        read_setting(key, value);
      }
    }
  }

  void read_setting(const YamlKey& key, const YamlNode& value) {
    const auto number = [&]() -> std::optional<unsigned> {
      const auto whole = whole_number(
          value, {.label = "`" + key.text + "`", .least = 0, .most = seconds_max}, macros_, notes_);
      if (!whole) return std::nullopt;
      return static_cast<unsigned>(*whole);
    };
    if (key.text == "healthCheckTimeout") {
      timeout_s_ = std::max(number().value_or(timeout_s_), timeout_least_s);
    } else if (key.text == "globalTTL") {
      ttl_s_ = number().value_or(0);
    } else if (key.text == "unloadTimeout") {
      grace_s_ = number().value_or(0);
    } else if (key.text == "logLevel") {
      read_log_level(value);
    } else if (key.text == "apiKeys") {
      read_keys_of_clients(key, value);
    }
  }

  void read_log_level(const YamlNode& value) {
    static constexpr std::array<std::string_view, 4> levels{"error", "warn", "info", "debug"};
    const std::string level = value.is_scalar() ? macros_.expand(value.text, value.place) : "";
    if (std::ranges::find(levels, level) != levels.end()) {
      log_level_ = level;
    } else {
      notes_.note(value.place, "`logLevel` is " + described(value) +
                                   ", left out: Hearth has error, warn, info and debug");
    }
  }

  void read_keys_of_clients(const YamlKey& key, const YamlNode& value) {
    if (!value.is_list()) {
      notes_.error(value.place, "`apiKeys` must be a list of texts, not " + described(value));
      return;
    }
    for (const YamlNode& item : value.items) {
      if (!item.is_scalar() || item.text.empty()) {
        notes_.error(item.place, "`apiKeys` must hold texts, not " + described(item));
      } else if (api_key_.empty()) {
        api_key_ = macros_.expand(item.text, item.place);
      }
    }
    if (value.items.size() > 1) {
      notes_.note(key.place, "`apiKeys`: Hearth has one `api_key`, the first of the " +
                                 std::to_string(value.items.size()) +
                                 " here; let all clients send that");
    }
  }

  // False, and an error, when it is neither a section nor nothing.
  bool is_section(const YamlNode* node, std::string_view label) {
    if (node == nullptr || node->is_null()) return false;
    if (node->is_map()) return true;
    notes_.error(node->place,
                 "`" + std::string{label} + "` must be a section, not " + described(*node));
    return false;
  }

  // hooks: {on_startup: {preload: [...]}} is `lazy: false`.
  void read_hooks() {
    const YamlNode* hooks = root_.find("hooks");
    if (!is_section(hooks, "hooks")) return;
    for (const YamlKey& key : hooks->keys) {
      if (key.text != "on_startup") note_hook(key, "hooks.");
    }
    const YamlNode* startup = hooks->find("on_startup");
    if (!is_section(startup, "hooks.on_startup")) return;
    for (std::size_t i = 0; i < startup->keys.size(); ++i) {
      const YamlNode& models = startup->items[i];
      if (startup->keys[i].text != "preload") {
        note_hook(startup->keys[i], "hooks.on_startup.");
      } else if (models.is_list()) {
        for (const YamlNode& item : models.items) preload(item);
      } else if (!models.is_null()) {
        notes_.error(models.place, "`hooks.on_startup.preload` must be a list of models, not " +
                                       described(models));
      }
    }
  }
  void note_hook(const YamlKey& key, const std::string& prefix) {
    notes_.note(key.place, quoted(prefix + key.text) +
                               " is left out: of the hooks Hearth has only " +
                               "the preload at the start, as `lazy: false`");
  }
  void preload(const YamlNode& item) {
    std::optional<std::size_t> found = names_.find(item.text);
    for (std::size_t i = 0; i < models_.size() && !found; ++i) {
      for (const auto& [alias, place] : models_[i].aliases) {
        if (alias == item.text) found = i;
      }
    }
    if (found) {
      is_eager_[*found] = true;
      eager_place_ = item.place;
    } else {
      notes_.note(item.place, "`hooks.on_startup.preload` names " + described(item) +
                                  ", which is no model of the file: left out");
    }
  }

  // `routing.router` is the newer place of groups and matrix; llama-swap takes one place alone.
  void read_routing() {
    const YamlNode* groups = root_.find("groups");
    const YamlNode* matrix = root_.find("matrix");
    if (const YamlNode* routing = root_.find("routing"); is_section(routing, "routing")) {
      for (std::size_t i = 0; i < routing->keys.size(); ++i) {
        if (routing->keys[i].text == "router") {
          read_router(routing->items[i], groups, matrix);
        } else {
          notes_.note(routing->keys[i].place,
                      quoted("routing." + routing->keys[i].text) +
                          " is left out: requests go in the order they came; `priority` of a "
                          "component says which stays in memory");
        }
      }
    }
    const bool has_groups = groups != nullptr && !groups->items.empty();
    if (matrix != nullptr && !matrix->is_null()) {
      if (has_groups) notes_.error(matrix->place, "`groups` and `matrix` are both there: keep one");
      rivals_ = rivals_of_matrix(*matrix, names_, notes_);
    } else {
      rivals_ = rivals_of_groups(groups, names_, notes_);
    }
  }
  void read_router(const YamlNode& router, const YamlNode*& groups, const YamlNode*& matrix) {
    if (!is_section(&router, "routing.router")) return;
    const YamlNode* use = router.find("use");
    const YamlNode* settings = router.find("settings");
    for (const YamlKey& key : router.keys) {
      if (key.text == "use" || key.text == "settings") continue;
      notes_.note(key.place, "unknown key " + quoted("routing.router." + key.text) + ", left out");
    }
    if (groups != nullptr || matrix != nullptr) {
      notes_.error(router.place, "`routing.router` is there beside `groups` or `matrix`: keep one");
      return;
    }
    const std::string kind = use != nullptr && use->is_scalar() ? use->text : "group";
    if (kind != "group" && kind != "matrix") {
      notes_.error(use->place, "`routing.router.use` must be group or matrix, not " + quoted(kind));
    }
    if (!is_section(settings, "routing.router.settings")) return;
    (kind == "matrix" ? matrix : groups) = settings->find(kind == "matrix" ? "matrix" : "groups");
    for (const YamlKey& key : settings->keys) {
      if (key.text == "groups" || key.text == "matrix") continue;
      notes_.note(key.place,
                  "unknown key " + quoted("routing.router.settings." + key.text) + ", left out");
    }
  }

  void keep_aliases() {
    // What a model was called comes before what others would like to be called.
    for (std::size_t i = 0; i < models_.size(); ++i) {
      names_.keep_alias(i, source_.keys[i].text, source_.keys[i].place, notes_);
    }
    for (std::size_t i = 0; i < models_.size(); ++i) {
      for (const auto& [alias, place] : models_[i].aliases) {
        names_.keep_alias(i, alias, place, notes_);
      }
    }
  }

  // A second start at the same port failed there; here the file would be refused.
  void part_same_ports() {
    constexpr unsigned own_port = 7411;
    bool is_own_taken = false;
    unsigned free_port = own_port;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      is_own_taken = is_own_taken || models_[i].port == own_port;
      for (std::size_t other = 0; other < i && models_[i].port; ++other) {
        if (models_[other].port != models_[i].port || rivals_[i].contains(other)) continue;
        rivals_[i].insert(other);
        notes_.note(models_[i].port_place,
                    name(i) + ": " + quoted(name(other)) + " has the port " +
                        std::to_string(*models_[i].port) +
                        " too, so the two are rivals here: use ${PORT} to let them run together");
      }
    }
    if (!is_own_taken) return;
    const auto is_taken = [&](const LlamaSwapModel& model) { return model.port == free_port; };
    while (std::ranges::any_of(models_, is_taken)) ++free_port;
    listen_ = "127.0.0.1:" + std::to_string(free_port);
    notes_.note({}, "a model has the port 7411, which is Hearth's own: Hearth listens at " +
                        listen_ + " instead");
  }

  void note_eager_rivals() {
    for (std::size_t i = 0; i < models_.size(); ++i) {
      for (const std::size_t other : rivals_[i]) {
        if (!is_eager_[i] || !is_eager_[other]) continue;
        notes_.note(eager_place_, name(i) + ": it and " + quoted(name(other)) +
                                      " are both loaded at the start, and rivals: only one of them "
                                      "stays");
        return;
      }
    }
  }

  [[nodiscard]] unsigned longest_timeout() const {
    unsigned longest = timeout_s_;
    for (const LlamaSwapModel& model : models_) {
      longest = std::max(longest, model.timeout_s.value_or(0));
    }
    return longest;
  }

  void write(YamlSection& components, std::size_t i) const {
    const LlamaSwapModel& model = models_[i];
    YamlSection section = components.open(name(i));
    add_command(section, model.words);
    if (model.port) section.add("port", std::to_string(*model.port));
    if (model.ready.empty()) {
      section.add("ready", "started");
    } else {
      section.open("ready").add("http", yaml_scalar(with_env_macros(model.ready)));
    }
    if (model.timeout_s) section.add("timeout", seconds(*model.timeout_s));
    const unsigned grace = model.grace_s.value_or(grace_s_);
    if (grace > 0 || !model.stop_signal.empty() || !model.stop_words.empty()) {
      YamlSection stop = section.open("stop");
      if (!model.stop_signal.empty()) stop.add("signal", model.stop_signal);
      if (!model.stop_words.empty()) stop.add("cmd", yaml_texts(model.stop_words));
      if (grace > 0) stop.add("grace", seconds(grace));
    }
    if (!model.env.empty()) {
      YamlSection env = section.open("env");
      for (const auto& [key, value] : model.env) env.add(key, yaml_scalar(with_env_macros(value)));
    }
    const unsigned ttl = model.ttl_s.value_or(ttl_s_);
    if (ttl > 0) section.add("ttl", seconds(ttl));
    if (model.concurrency > 0) section.add("concurrency", std::to_string(model.concurrency));
    if (is_eager_[i]) section.add("lazy", "false");
    if (!rivals_[i].empty()) {
      std::vector<std::string> others;
      for (const std::size_t other : rivals_[i]) others.push_back(name(other));
      section.add("conflicts", yaml_scalars(others));
    }
    if (!names_.aliases(i).empty()) section.add("aliases", yaml_scalars(names_.aliases(i)));
    if (!model.description.empty()) {
      section.add("description", yaml_scalar(with_env_macros(model.description)));
    }
  }

  const YamlNode& root_;
  const YamlNode& source_;
  ImportNotes& notes_;
  ComponentNames names_;
  LlamaSwapMacros macros_;
  std::vector<LlamaSwapModel> models_;
  std::vector<bool> is_eager_;
  ConfigPlace eager_place_;
  Rivals rivals_;
  unsigned timeout_s_ = 120;  // llama-swap's own
  unsigned ttl_s_ = 0;
  unsigned grace_s_ = 0;
  std::string log_level_;
  std::string api_key_;
  std::string listen_;
};

const YamlNode* models_of(const YamlNode& root, ImportNotes& notes) {
  const YamlNode* models = root.find("models");
  if (models == nullptr) {
    const bool is_own = root.find("components") != nullptr;
    const bool is_jarvis = std::ranges::any_of(root.items, [](const YamlNode& item) {
      return item.find("import_function") != nullptr || item.find("intent_keywords") != nullptr;
    });
    notes.error(root.place, is_jarvis ? "`models` is missing: this looks like the predecessor's "
                                        "components.json: `hearth import jarvis FILE`"
                            : is_own  ? "`models` is missing: this looks like a hearth.yaml, which "
                                        "needs no import"
                                      : "`models` is missing: is it llama-swap's configuration?");
  } else if (!models->is_map()) {
    notes.error(models->place,
                "`models` must be a section of models by name, not " + described(*models));
  } else if (models->items.size() > import_components_max) {
    notes.error(models->place, "more than " + std::to_string(import_components_max) + " models");
  } else {
    return models;
  }
  return nullptr;
}

}  // namespace

Imported import_llama_swap(std::string_view text) {
  ImportNotes notes;
  YamlTree tree = read_yaml(text);
  const YamlNode* root = section_of(tree, notes);
  const YamlNode* models = root != nullptr ? models_of(*root, notes) : nullptr;
  if (models == nullptr) return finish_import("llama-swap", "", {}, std::move(notes));
  LlamaSwapImport swap{*root, *models, notes};
  swap.read();
  if (notes.has_error()) return finish_import("llama-swap", "", {}, std::move(notes));
  return finish_import("llama-swap", swap.body(), swap.component_names(), std::move(notes));
}

}  // namespace hearth
