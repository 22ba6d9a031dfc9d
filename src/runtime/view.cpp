#include "runtime/view.h"

#include <algorithm>

namespace hearth {

namespace {

// A server's tag may be left out where it is this one.
std::string without_tag(const std::string& model) {
  constexpr std::string_view tag = ":latest";
  return model.ends_with(tag) ? model.substr(0, model.size() - tag.size()) : model;
}

}  // namespace

NameTable::NameTable(const Engine& engine, const std::vector<Launch>& launches,
                     const ServerOf& server_of) {
  for (std::uint32_t i = 0; i < engine.component_count(); ++i) {
    const ComponentView view = engine.component(ComponentId{i});
    names_.emplace_back(view.name);
    if (view.is_removed) continue;
    all_.emplace_back(view.name);
    by_name_.emplace(view.name, ComponentId{i});
  }
  for (const Launch& launch : launches) {
    const auto found = by_name_.find(launch.name);
    if (found == by_name_.end()) continue;
    const ComponentId id = found->second;
    for (const std::string& alias : launch.aliases) by_name_.emplace(alias, id);
    if (launch.concurrency > 0) concurrency_.emplace(id, launch.concurrency);
  }
  // What is written goes before what is only known.
  for (const Launch& launch : launches) {
    const auto found = by_name_.find(launch.name);
    if (found == by_name_.end()) continue;
    const ComponentId id = found->second;
    OwnServer server = server_of(launch);
    std::vector<std::string>& callable = callable_[id];
    const auto add = [&](const std::string& name) {
      const auto known = by_name_.emplace(name, id).first;
      const bool is_new = std::ranges::find(callable, name) == callable.end();
      if (known->second == id && is_new) callable.push_back(name);
    };
    const std::string& model = server.model;
    const bool is_called_so =
        model.empty() || launch.name == model || launch.name == without_tag(model);
    if (is_called_so) add(launch.name);
    for (const std::string& alias : launch.aliases) add(alias);
    if (!is_called_so) add(model);
    // Found by it, but not listed twice.
    if (!is_called_so) by_name_.emplace(without_tag(model), id);
    if (callable.empty()) add(launch.name);
    if (!server.endpoint.empty()) servers_.emplace(id, std::move(server.endpoint));
  }
}

std::optional<ComponentId> NameTable::find(std::string_view name_or_alias) const {
  const auto found = by_name_.find(name_or_alias);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::string_view NameTable::name(ComponentId id) const {
  return id.value < names_.size() ? std::string_view{names_[id.value]} : std::string_view{};
}

std::vector<std::string> NameTable::callable(ComponentId id) const {
  const auto found = callable_.find(id);
  return found == callable_.end() ? std::vector<std::string>{} : found->second;
}

std::string_view NameTable::server(ComponentId id) const {
  const auto found = servers_.find(id);
  return found == servers_.end() ? std::string_view{} : std::string_view{found->second};
}

unsigned NameTable::concurrency(ComponentId id) const {
  const auto found = concurrency_.find(id);
  return found == concurrency_.end() ? 0 : found->second;
}

std::vector<std::string> NameTable::near(std::string_view name) const {
  std::vector<std::string> known;
  for (const auto& [text, id] : by_name_) known.push_back(text);
  return near_names(name, known);
}

namespace {

std::vector<ComponentId> closure_of(const Engine& engine, ComponentId id) {
  std::vector<ComponentId> closure{id};
  for (std::size_t i = 0; i < closure.size(); ++i) {
    for (const ComponentId need : engine.needs_of(closure[i])) {
      if (std::ranges::find(closure, need) == closure.end()) closure.push_back(need);
    }
  }
  std::ranges::sort(closure);
  return closure;
}

}  // namespace

std::shared_ptr<const View> make_view(const Engine& engine, const Config& config,
                                      const ClassifierFactory& make_classifier,
                                      const ServerOf& server_of,
                                      std::vector<std::unique_ptr<Gate>>& gates) {
  auto view = std::make_shared<View>();
  auto names = std::make_shared<NameTable>(engine, config.launches, server_of);
  for (const Launch& launch : config.launches) {
    if (const auto id = engine.find(launch.name)) view->launches.emplace(*id, launch);
  }
  while (gates.size() < engine.component_count()) gates.push_back(std::make_unique<Gate>());
  for (std::uint32_t i = 0; i < engine.component_count(); ++i) {
    view->gates.push_back(gates[i].get());
    view->priorities.push_back(engine.component(ComponentId{i}).priority);
    view->closures.push_back(closure_of(engine, ComponentId{i}));
  }
  if (make_classifier) view->classifier = make_classifier(config.launches, *names);
  view->names = std::move(names);
  view->threshold = config.core.settings.threshold;
  view->preload_threshold = config.core.settings.preload_threshold;
  view->history_text = config.history_text;
  view->is_journal_synced = config.is_journal_synced;
  return view;
}

}  // namespace hearth
