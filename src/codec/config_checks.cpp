// What no key says by itself: names that nothing has, cycles, rivals, ports, devices.
#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "codec/config_links.h"
#include "codec/config_reader.h"

namespace hearth {
namespace {

using Index = std::unordered_map<std::string_view, std::size_t>;

// A port as a word of a command says it: "8080" after a word about ports, or "HOST:8080",
// "--port=8080", "http://HOST:8080/". Empty: none.
std::string port_in_word(std::string_view word, std::string_view before) {
  for (std::size_t at = word.find_first_of("0123456789"); at != std::string_view::npos;) {
    const std::size_t end = std::min(word.find_first_not_of("0123456789", at), word.size());
    const std::string_view digits = word.substr(at, end - at);
    const std::string_view lead = word.substr(0, at);
    const bool ends_there = end == word.size() || word[end] == '/';
    const bool is_asked_for =
        lead.empty() ? before.contains("port") || before == "-p" || before == "http.server"
                     : lead.ends_with(':') || (lead.ends_with('=') && lead.contains("port"));
    const bool is_sized = digits.size() >= 2 && digits.size() <= 5;
    if (ends_there && is_asked_for && is_sized) return std::string{digits};
    at = word.find_first_of("0123456789", end);
  }
  return "";
}

// The port that a command brings along by itself. Empty: none is seen.
std::string port_in(const Launch& launch) {
  std::vector<std::string> words;
  for (const std::string& word : launch.argv) {
    std::istringstream parts{word};
    for (std::string part; parts >> part;) words.push_back(part);
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string found = port_in_word(words[i], i > 0 ? words[i - 1] : "");
    if (!found.empty()) return found;
  }
  for (const auto& [key, value] : launch.env) {
    if (const std::string found = port_in_word(value, ""); !found.empty()) return found;
  }
  return "";
}

// Servers that listen at a port of their own unless their command says another.
bool has_default_port(const Launch& launch) {
  static constexpr std::array<std::string_view, 9> servers{
      "ollama",         "llama-server", "llama-swap", "vllm",     "whisper-server",
      "libretranslate", "dictd",        "llamafile",  "koboldcpp"};
  const std::string_view program = launch.argv.front();
  const std::string_view name = program.substr(program.rfind('/') + 1);
  return std::ranges::find(servers, name) != servers.end();
}

class Checks {
 public:
  Checks(ConfigReader& reader, ConfigDraft& draft)
      : reader_(reader), draft_(draft), components_(draft.components) {}

  void run() {
    index_names();
    links_.needs.resize(components_.size());
    links_.rivals.resize(components_.size());
    for (std::size_t i = 0; i < components_.size(); ++i) {
      resolve(i, "needs", components_[i].spec.needs, components_[i].needs_at);
      resolve(i, "conflicts", components_[i].spec.conflicts, components_[i].conflicts_at);
      check_pool(components_[i]);
      check_devices(components_[i]);
      check_limits(i);
      check_told_port(i);
    }
    Walk found = walk(links_.needs);
    for (const std::vector<std::size_t>& cycle : found.cycles) say_cycle(cycle);
    if (found.cycles.empty()) {
      links_.order = std::move(found.order);
      check_rivals_in_needs();
    }
    check_rivals();
    check_ports();
    check_exclusive_devices();
    fill_exclusive_needs();
  }

 private:
  const std::string& name(std::size_t i) const { return components_[i].spec.name; }

  void index_names() {
    for (std::size_t i = 0; i < components_.size(); ++i) {
      index_.emplace(name(i), i);
      names_.push_back(name(i));
    }
    Index aliases;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      const ComponentDraft& component = components_[i];
      for (std::size_t k = 0; k < component.launch.aliases.size(); ++k) {
        const std::string& alias = component.launch.aliases[k];
        const ConfigPlace place = component.aliases_at[k];
        if (!is_alias(alias)) {
          reader_.error(place, name(i) + ": the alias " + quoted(alias) + " is not allowed: a " +
                                   "letter or digit, then letters, digits and . _ - / :");
        } else if (const auto clash = index_.find(alias); clash != index_.end()) {
          reader_.error(place, name(i) + ": the alias " + quoted(alias) + " is the name of " +
                                   (clash->second == i ? "itself" : "another component"));
        } else if (const auto [held, is_new] = aliases.emplace(alias, i); !is_new) {
          reader_.error(place, name(i) + ": " + quoted(name(held->second)) + " has the alias " +
                                   quoted(alias) + " already");
        } else {
          names_.push_back(alias);
        }
      }
    }
    index_.merge(aliases);
  }

  void resolve(std::size_t i, const std::string& key, std::vector<std::string>& listed,
               const std::vector<ConfigPlace>& places) {
    std::vector<std::string> kept;
    std::unordered_set<std::size_t> seen;
    const bool is_needs = key == "needs";
    for (std::size_t k = 0; k < listed.size(); ++k) {
      const std::string label = name(i) + ": `" + key + "`";
      const auto found = index_.find(listed[k]);
      if (found == index_.end()) {
        reader_.error(places[k], label + " names " + quoted(listed[k]) + ", which is no component" +
                                     did_you_mean(listed[k], names_));
        continue;
      }
      const std::size_t other = found->second;
      if (!seen.insert(other).second) {
        reader_.warning(places[k], label + " names " + quoted(listed[k]) + " twice");
        continue;
      }
      if (other == i && !is_needs) {
        reader_.error(places[k], label + " names the component itself");
        continue;
      }
      kept.push_back(name(other));
      if (is_needs) {
        links_.needs[i].push_back(other);
      } else {
        links_.rivals[i].insert(other);
        links_.rivals[other].insert(i);
      }
    }
    listed = std::move(kept);
  }

  void say_cycle(const std::vector<std::size_t>& cycle) {
    constexpr std::size_t shown_max = 20;
    std::string text;
    for (std::size_t i = 0; i < cycle.size() && i < shown_max; ++i) text += name(cycle[i]) + " -> ";
    if (cycle.size() > shown_max) text += "... -> ";
    const ComponentDraft& first = components_[cycle.front()];
    const auto place = first.places.find("needs");
    reader_.error(place == first.places.end() ? first.place : place->second,
                  first.spec.name + ": its needs go in a circle: " + text + first.spec.name);
  }

  ConfigPlace place_of(std::size_t i, const std::string& key) const {
    const auto found = components_[i].places.find(key);
    return found == components_[i].places.end() ? components_[i].place : found->second;
  }

  // Said once, for the lowest component that it is true of.
  void check_rivals_in_needs() {
    const auto has_rivals = [](const auto& rivals) { return !rivals.empty(); };
    if (std::ranges::none_of(links_.rivals, has_rivals)) return;
    Closure closure{links_};
    std::vector<bool> is_bad(components_.size(), false);
    for (const std::size_t i : links_.order) {
      for (const std::size_t need : links_.needs[i]) is_bad[i] = is_bad[i] || is_bad[need];
      if (is_bad[i]) continue;
      for (const std::size_t member : closure.of(i)) {
        const auto rival = std::ranges::find_if(
            links_.rivals[member], [&](std::size_t other) { return closure.has(other); });
        if (rival == links_.rivals[member].end()) continue;
        is_bad[i] = true;
        const bool is_own = member == i || *rival == i;
        const std::size_t other = member == i ? *rival : member;
        reader_.error(
            place_of(i, "needs"),
            is_own ? name(i) + ": it needs " + quoted(name(other)) + ", which it conflicts with"
                   : name(i) + ": it needs " + quoted(name(member)) + " and " +
                         quoted(name(*rival)) + ", which conflict");
        break;
      }
    }
  }

  void check_rivals() {
    for (std::size_t i = 0; i < components_.size(); ++i) {
      for (const std::size_t other : links_.rivals[i]) {
        if (other >= i) continue;
        const Spec& a = components_[i].spec;
        const Spec& b = components_[other].spec;
        if (a.priority == Priority::core && b.priority == Priority::core) {
          reader_.error(place_of(i, "priority"),
                        a.name + ": it conflicts with " + quoted(b.name) + ", and both are core");
        } else if (a.is_default && b.is_default) {
          reader_.warning(place_of(i, "default"), a.name + ": it conflicts with " + quoted(b.name) +
                                                      ", and both are `default`");
        }
      }
    }
  }

  void check_pool(const ComponentDraft& component) {
    if (component.spec.pool.empty()) return;
    const auto& pools = draft_.config.core.settings.pools;
    const auto place = component.places.find("pool");
    const ConfigPlace at = place == component.places.end() ? component.place : place->second;
    const auto found = std::ranges::find(pools, component.spec.pool, &PoolSpec::name);
    if (found == pools.end()) {
      std::vector<std::string> known;
      for (const PoolSpec& pool : pools) known.push_back(pool.name);
      const std::string near = did_you_mean(component.spec.pool, known);
      reader_.error(at, component.spec.name + ": `pool` names " + quoted(component.spec.pool) +
                            ", which `memory.pools` does not have" + near);
    } else if (component.spec.memory && *component.spec.memory > found->bytes) {
      const std::string text = component.spec.name + ": its memory of " +
                               format_bytes(*component.spec.memory) +
                               " does not fit into the pool " + quoted(found->name) + " of " +
                               format_bytes(found->bytes);
      if (found->is_hard) {
        reader_.error(at, text);
      } else {
        reader_.warning(at, text + ": it always borrows, and waits for what others need");
      }
    }
  }

  void check_devices(const ComponentDraft& component) {
    std::vector<NamedBytes>& resources = draft_.config.core.settings.resources;
    const auto place = component.places.find("devices");
    const ConfigPlace at = place == component.places.end() ? component.place : place->second;
    std::unordered_set<std::string> seen;
    for (const ResourceNeed& need : component.spec.devices) {
      if (!seen.insert(need.resource).second) {
        reader_.error(
            at, component.spec.name + ": `devices` names " + quoted(need.resource) + " twice");
      }
      const auto found = std::ranges::find(resources, need.resource, &NamedBytes::name);
      if (found == resources.end() && need.resource == "page_cache") {
        resources.push_back({need.resource, Bytes::unlimited()});
      } else if (found == resources.end()) {
        std::vector<std::string> known;
        for (const NamedBytes& resource : resources) known.push_back(resource.name);
        const std::string near = did_you_mean(need.resource, known);
        reader_.error(at, component.spec.name + ": `devices` names " + quoted(need.resource) +
                              ", which `memory.devices` does not have" + near);
      } else if (need.bytes > found->bytes) {
        reader_.error(at, component.spec.name + ": it takes more of " + quoted(need.resource) +
                              " (" + format_bytes(need.bytes) + ") than there is (" +
                              format_bytes(found->bytes) + ")");
      }
    }
  }

  void check_limits(std::size_t i) {
    const std::optional<Bytes>& memory = components_[i].spec.memory;
    const std::optional<Bytes>& limit = components_[i].launch.limits.memory_max;
    if (!memory || !limit || *limit >= *memory) return;
    reader_.warning(place_of(i, "limits.memory"),
                    name(i) + ": `limits.memory` of " + format_bytes(*limit) +
                        " is below its `memory` of " + format_bytes(*memory) +
                        ": the kernel ends it before it has what it takes");
  }

  // The likeliest first mistake: a server on a port of its own, asked at the one chosen for it.
  void check_told_port(std::size_t i) {
    const Launch& launch = components_[i].launch;
    const ReadyProbe& ready = launch.ready;
    const bool is_asked_there = ready.kind == ReadyProbe::Kind::http ||
                                (ready.kind == ReadyProbe::Kind::tcp && ready.value.empty());
    if (!is_asked_there || launch.port || launch.argv.empty()) return;
    const auto holds = [](const std::string& text) { return text.contains("PORT"); };
    const bool is_told = std::ranges::any_of(launch.argv, holds) ||
                         std::ranges::any_of(launch.env, [&](const auto& pair) {
                           return holds(pair.first) || holds(pair.second);
                         });
    if (is_told) return;
    const std::string own = port_in(launch);
    if (!own.empty()) {
      reader_.warning(place_of(i, "ready"), name(i) +
                                                ": `ready` asks at a port that is chosen, and "
                                                "`cmd` has its own: say `port: " +
                                                own + "`, or pass ${PORT}");
    } else if (has_default_port(launch)) {
      reader_.warning(place_of(i, "ready"), name(i) +
                                                ": `ready` asks at a port that is chosen, and "
                                                "`cmd` is not told it: say `port: N`, or pass "
                                                "${PORT}");
    }
  }

  struct PortUse {
    int port = 0;
    std::string_view key;
  };
  // Of its server, and of its probe when that asks at another one.
  static std::vector<PortUse> ports_of(const Launch& launch) {
    std::vector<PortUse> uses;
    if (launch.port) uses.push_back({*launch.port, "port"});
    if (launch.ready.kind == ReadyProbe::Kind::tcp && !launch.ready.value.empty()) {
      const int port = std::stoi(launch.ready.value);
      if (port != launch.port) uses.push_back({port, "ready.tcp"});
    }
    return uses;
  }

  // The daemon's own port on loopback; 0: none that is fixed.
  [[nodiscard]] int own_port() const {
    const std::string& address = draft_.config.listen_http;
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) return 0;
    const std::string host = address.substr(0, colon);
    const bool is_here = host == "localhost" || host.starts_with("127.") || host == "0.0.0.0" ||
                         host == "[::1]" || host == "[::]";
    return is_here ? std::stoi(address.substr(colon + 1)) : 0;
  }

  void check_ports() {
    std::unordered_map<int, std::vector<std::size_t>> users;
    const int own = own_port();
    for (std::size_t i = 0; i < components_.size(); ++i) {
      for (const PortUse& use : ports_of(components_[i].launch)) {
        const ConfigPlace place = place_of(i, std::string{use.key});
        const std::string label = name(i) + ": the port " + std::to_string(use.port);
        if (use.port == own) {
          reader_.error(place, label + " is that of `listen.http`: give another");
        }
        for (const std::size_t other : users[use.port]) {
          if (links_.rivals[i].contains(other)) continue;
          reader_.error(place, label + " is also that of " + quoted(name(other)) +
                                   ": give another, drop `port`, or say that they conflict");
          break;
        }
        users[use.port].push_back(i);
      }
    }
  }

  void check_exclusive_devices() {
    std::unordered_map<std::string_view, std::vector<std::size_t>> users;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      for (const ResourceNeed& need : components_[i].spec.devices) {
        if (need.bytes != exclusive_device) continue;
        for (const std::size_t other : users[need.resource]) {
          if (other == i || links_.rivals[i].contains(other)) continue;
          reader_.error(place_of(i, "devices"), name(i) + ": the exclusive device " +
                                                    quoted(need.resource) + " is also taken by " +
                                                    quoted(name(other)) +
                                                    ": say that they conflict");
          break;
        }
        users[need.resource].push_back(i);
      }
    }
  }

  // Who has a device of a known size alone takes all of it.
  void fill_exclusive_needs() {
    for (ComponentDraft& component : components_) {
      for (ResourceNeed& need : component.spec.devices) {
        if (need.bytes != exclusive_device) continue;
        const auto& all = draft_.config.core.settings.resources;
        const auto found = std::ranges::find(all, need.resource, &NamedBytes::name);
        if (found != all.end() && found->bytes < Bytes::unlimited()) need.bytes = found->bytes;
      }
    }
  }

  ConfigReader& reader_;
  ConfigDraft& draft_;
  std::vector<ComponentDraft>& components_;
  Index index_;
  std::vector<std::string> names_;
  Links links_;
};

}  // namespace

void check_draft(ConfigReader& reader, ConfigDraft& draft) { Checks{reader, draft}.run(); }

}  // namespace hearth
