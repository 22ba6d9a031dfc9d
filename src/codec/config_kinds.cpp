// The keys that only some kinds of component have, and which kind may have which.
#include <algorithm>

#include "codec/config_reader.h"

namespace hearth {
namespace {

using Reader = ConfigReader;
using Node = YamlNode;
using Draft = ComponentDraft;
using DraftKey = Key<ComponentDraft>;

constexpr std::array<std::string_view, 4> presets{"ollama", "llama-server", "triton", "lemonade"};

void take_path(Reader& r, const Node& n, std::string& into) {
  const auto value = r.text(n);
  if (!value) return;
  if (value->starts_with('/')) {
    into = *value;
  } else {
    r.expected(n, "a path that begins with /");
  }
}

// Not parsed with the client of net/, which is above: a scheme, a host, and a port or none.
void take_url(Reader& r, const Node& n, std::string& into) {
  const auto value = r.text(n);
  if (!value) return;
  const bool is_http = value->starts_with("http://") && value->size() > 7 && value->at(7) != '/' &&
                       value->at(7) != ':' && value->find_first_of(" \t") == std::string::npos;
  if (is_http || (value->starts_with("unix:/") && value->size() > 6)) {
    into = *value;
  } else if (value->starts_with("https://")) {
    r.error(n.place, r.label() + ": https is not spoken: put the server's plain address there");
  } else {
    r.expected(n, "an address such as http://127.0.0.1:11434 or unix:/run/server.sock");
  }
}

void take_method(Reader& r, const Node& n, std::string& into) {
  static constexpr std::array<std::string_view, 4> names{"GET", "POST", "PUT", "DELETE"};
  const auto index = r.choice(n, names);
  if (index) into = names.at(*index);
}

using RequestKey = Key<ServerRequest>;
constexpr std::array request_keys{
    RequestKey{{"path", Form::text, "", "", "What is asked for."},
               [](Reader& r, const Node& n, ServerRequest& q) { take_path(r, n, q.path); }},
    RequestKey{{"body", Form::text, "", "", "The body that is sent, as JSON."},
               [](Reader& r, const Node& n, ServerRequest& q) { r.take(n, q.body); }},
    RequestKey{{"method", Form::choice, "GET|POST|PUT|DELETE", "POST", "The method."},
               [](Reader& r, const Node& n, ServerRequest& q) { take_method(r, n, q.method); }},
};

using StatusKey = Key<ServerStatus>;
constexpr std::array status_keys{
    StatusKey{{"path", Form::text, "", "", "A GET of it tells what is loaded."},
              [](Reader& r, const Node& n, ServerStatus& s) { take_path(r, n, s.path); }},
    StatusKey{{"list", Form::text, "", "none: any 2xx is a yes", "The member that lists models."},
              [](Reader& r, const Node& n, ServerStatus& s) { r.take(n, s.list); }},
    StatusKey{{"name", Form::text, "", "name", "The member of an entry that names its model."},
              [](Reader& r, const Node& n, ServerStatus& s) { r.take(n, s.name); }},
    StatusKey{{"state", Form::text, "", "none: what is listed is loaded",
               "The member that says how it is; `a.b` is b in a."},
              [](Reader& r, const Node& n, ServerStatus& s) { r.take(n, s.state); }},
    StatusKey{{"loaded", Form::texts, "", "loaded", "What `state` says of a loaded one."},
              [](Reader& r, const Node& n, ServerStatus& s) { r.take(n, s.loaded); }},
    StatusKey{{"size", Form::text, "", "none", "The member with its bytes."},
              [](Reader& r, const Node& n, ServerStatus& s) { r.take(n, s.size); }},
    StatusKey{{"device_size", Form::text, "", "none", "The member with those on devices."},
              [](Reader& r, const Node& n, ServerStatus& s) { r.take(n, s.device_size); }},
};

template <class T, std::size_t n>
void take_with_path(Reader& r, const Node& node, const std::array<Key<T>, n>& keys, T& into) {
  r.section<T>(node, keys, into);
  if (node.is_map() && node.find("path") == nullptr) {
    r.error(node.place, r.label() + " needs a `path`");
  }
}

void take_load(Reader& r, const Node& n, Draft& d) {
  take_with_path(r, n, request_keys, d.launch.server.load);
}
void take_unload(Reader& r, const Node& n, Draft& d) {
  take_with_path(r, n, request_keys, d.launch.server.unload);
}
void take_status(Reader& r, const Node& n, Draft& d) {
  ServerStatus& status = d.launch.server.status;
  take_with_path(r, n, status_keys, status);
  if (!status.state.empty() && status.loaded.empty()) status.loaded = {"loaded"};
}

void take_preset(Reader& r, const Node& n, Draft& d) {
  const auto index = r.choice(n, presets);
  if (index) d.launch.server.preset = presets.at(*index);
}

void take_engine(Reader& r, const Node& n, Draft& d) {
  static constexpr std::array<std::string_view, 2> names{"docker", "podman"};
  const auto index = r.choice(n, names);
  if (index) d.launch.unit.engine = names.at(*index);
}

constexpr std::array<DraftKey, kind_key_count> keys{
    DraftKey{{"instances", Form::whole, "", "1",
              "Of a process: so many side by side; requests go to each in turn."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.instances, 1, 64); }},
    DraftKey{{"before", Form::command, "", "none",
              "Run to its end before each start; when it fails, the load has failed."},
             [](Reader& r, const Node& n, Draft& d) { d.launch.before = read_words(r, n, false); }},
    DraftKey{{"after", Form::command, "", "none", "Run after each end, however it came."},
             [](Reader& r, const Node& n, Draft& d) { d.launch.after = read_words(r, n, false); }},
    DraftKey{{"url", Form::text, "", "the preset's", "Of http: where the server listens."},
             [](Reader& r, const Node& n, Draft& d) { take_url(r, n, d.launch.server.url); }},
    DraftKey{{"preset", Form::choice, "ollama|llama-server|triton|lemonade", "none",
              "Of http: how this server is spoken to."},
             take_preset},
    DraftKey{{"model", Form::text, "", "the component's name",
              "Of http: the model's name at the server; ${MODEL} in the requests."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.server.model); }},
    DraftKey{{"load", Form::section, "request", "the preset's", "Of http: what loads it."},
             take_load},
    DraftKey{{"unload", Form::section, "request", "the preset's", "Of http: what unloads it."},
             take_unload},
    DraftKey{{"status", Form::section, "status", "the preset's",
              "Of http: what tells whether it is loaded."},
             take_status},
    DraftKey{{"unit", Form::text, "", "", "Of a unit: the systemd unit, such as tts.service."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.unit.unit); }},
    DraftKey{{"user", Form::boolean, "", "false", "Of a unit: it is one of the user's own."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.unit.is_of_user); }},
    DraftKey{{"container", Form::text, "", "", "Of a unit: the name of a container that exists."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.unit.container); }},
    DraftKey{{"engine", Form::choice, "docker|podman", "the one that is there",
              "Of a container: what runs it."},
             take_engine},
    DraftKey{{"lock", Form::boolean, "", "false",
              "Of files: the kernel may not take them back; they count as its memory then."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.is_locked); }},
};

// A key, and the kinds that have it; what is not named here all have.
struct Owners {
  std::string_view key;
  std::array<std::string_view, 2> kinds;
};
constexpr std::array owners{
    Owners{"cmd", {"process", "unit"}},
    Owners{"shell", {"process"}},
    Owners{"instances", {"process"}},
    Owners{"before", {"process"}},
    Owners{"after", {"process"}},
    Owners{"env", {"process"}},
    Owners{"directory", {"process"}},
    Owners{"limits", {"process"}},
    Owners{"on_exit", {"process"}},
    Owners{"port", {"process", "unit"}},
    Owners{"stop", {"process", "unit"}},
    Owners{"url", {"http"}},
    Owners{"preset", {"http"}},
    Owners{"model", {"http"}},
    Owners{"load", {"http"}},
    Owners{"unload", {"http"}},
    Owners{"status", {"http"}},
    Owners{"unit", {"unit"}},
    Owners{"user", {"unit"}},
    Owners{"container", {"unit"}},
    Owners{"engine", {"unit"}},
    Owners{"lock", {"files"}},
};

std::string subject(const Draft& d) { return quoted(d.spec.name) + ": "; }

void check_server(Reader& r, const Draft& d) {
  const ServerSpec& server = d.launch.server;
  if (server.preset.empty() && server.url.empty()) {
    r.error(d.place, subject(d) + "`url` or `preset` is missing");
  }
  if (!server.preset.empty()) return;
  if (server.unload.path.empty()) {
    r.warning(d.place, subject(d) + "without `unload` it stays in the server's memory for ever");
  }
}

void check_unit(Reader& r, const Draft& d) {
  const UnitSpec& unit = d.launch.unit;
  if (unit.unit.empty() == unit.container.empty()) {
    r.error(d.place, subject(d) + "kind unit needs either a `unit` or a `container`");
  }
  const ReadyProbe::Kind ready = d.launch.ready.kind;
  if (ready == ReadyProbe::Kind::stdout_line || ready == ReadyProbe::Kind::notify) {
    r.error(d.place,
            subject(d) + "`ready` of a unit is http, tcp or socket: its output is not ours");
  }
  const bool is_asked_there = ready == ReadyProbe::Kind::http ||
                              (ready == ReadyProbe::Kind::tcp && d.launch.ready.value.empty());
  if (is_asked_there && !d.launch.port) {
    r.error(d.place, subject(d) + "`ready` asks at its port: say which (`port: N`)");
  }
}

}  // namespace

const std::array<Key<ComponentDraft>, kind_key_count>& kind_keys() { return keys; }

std::vector<SectionText> kind_sections() {
  return {section_text("request", request_keys), section_text("status", status_keys)};
}

void check_kind(ConfigReader& r, const ComponentDraft& d) {
  const std::string& kind = d.launch.kind;
  for (const auto& [key, place] : d.places) {
    const auto owner = std::ranges::find(owners, key, &Owners::key);
    if (owner == owners.end() || std::ranges::find(owner->kinds, kind) != owner->kinds.end()) {
      continue;
    }
    r.error(place, subject(d) + "`" + key + "` is of kind " + std::string{owner->kinds[0]} +
                       ", and this is of kind " + kind);
  }
  if (kind == "process" && d.launch.instances > 1 && d.launch.port) {
    r.error(d.place, subject(d) +
                         "each of its `instances` needs a port of its own: drop `port`, "
                         "and pass ${PORT} in `cmd`");
  }
  if (kind == "http") check_server(r, d);
  if (kind == "unit") check_unit(r, d);
  if (kind == "files" && d.launch.files.empty()) {
    r.error(d.place, subject(d) + "kind files needs `files`");
  }
}

void check_model_is_its_own(ConfigReader& r, const ConfigDraft& before, const ComponentDraft& d) {
  if (d.launch.kind != "http") return;
  const auto model_of = [](const Launch& launch) -> const std::string& {
    return launch.server.model.empty() ? launch.name : launch.server.model;
  };
  for (const ComponentDraft& other : before.components) {
    const ServerSpec& server = other.launch.server;
    if (other.launch.kind != "http" || server.url != d.launch.server.url ||
        server.preset != d.launch.server.preset || model_of(other.launch) != model_of(d.launch)) {
      continue;
    }
    r.error(d.place, subject(d) + "it is the same model of the same server as " +
                         quoted(other.spec.name) + ": make it an alias of that one");
  }
}

}  // namespace hearth
