#include "runtime/view.h"

#include <algorithm>

namespace hearth {

NameTable::NameTable(const Engine& engine, const std::vector<Launch>& launches) {
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
    if (!launch.aliases.empty()) aliases_.emplace(id, launch.aliases);
    if (launch.concurrency > 0) concurrency_.emplace(id, launch.concurrency);
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

std::vector<std::string> NameTable::aliases(ComponentId id) const {
  const auto found = aliases_.find(id);
  return found == aliases_.end() ? std::vector<std::string>{} : found->second;
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
                                      std::vector<std::unique_ptr<Gate>>& gates) {
  auto view = std::make_shared<View>();
  auto names = std::make_shared<NameTable>(engine, config.launches);
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
