// What every thread may know without asking the core: one configuration, as it is in force.
//
// Contract   immutable once published. Ids are the engine's; a component that was removed keeps
//            its name and is found no more.
// Threads    pure.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "codec/config.h"
#include "core/engine/engine.h"
#include "ports/classifier.h"
#include "ports/driver.h"
#include "runtime/gate.h"
#include "runtime/service.h"

namespace hearth {

using ServerOf = std::function<OwnServer(const Launch&)>;

class NameTable : public Names {
 public:
  NameTable(const Engine& engine, const std::vector<Launch>& launches, const ServerOf& server_of);
  [[nodiscard]] std::optional<ComponentId> find(std::string_view name_or_alias) const override;
  [[nodiscard]] std::string_view name(ComponentId id) const override;
  [[nodiscard]] std::vector<std::string> all() const override { return all_; }
  [[nodiscard]] std::vector<std::string> near(std::string_view name) const override;
  [[nodiscard]] std::vector<std::string> callable(ComponentId id) const override;
  [[nodiscard]] std::string_view server(ComponentId id) const override;
  [[nodiscard]] unsigned concurrency(ComponentId id) const override;

 private:
  std::vector<std::string> names_;                           // by id
  std::vector<std::string> all_;                             // in order of id, without removed ones
  std::map<std::string, ComponentId, std::less<>> by_name_;  // by alias, and by its server's word
  std::map<ComponentId, std::vector<std::string>> callable_;
  std::map<ComponentId, std::string> servers_;
  std::map<ComponentId, unsigned> concurrency_;
};

struct View {
  std::shared_ptr<const Names> names;
  std::shared_ptr<const Classifier> classifier;
  std::map<ComponentId, Launch> launches;
  std::vector<std::vector<ComponentId>> closures;  // by id: with its needs, ascending
  std::vector<Priority> priorities;                // by id
  std::vector<Gate*> gates;                        // by id; they live as long as the daemon
  double threshold = 0.5;
  double preload_threshold = 0.25;
  Config::HistoryText history_text = Config::HistoryText::features;
  bool is_journal_synced = false;
};

using ClassifierFactory = std::function<std::shared_ptr<const Classifier>(
    const std::vector<Launch>& launches, const Names& names)>;

// `server_of` is asked of each launch. `gates` grows to the engine's components.
[[nodiscard]] std::shared_ptr<const View> make_view(const Engine& engine, const Config& config,
                                                    const ClassifierFactory& make_classifier,
                                                    const ServerOf& server_of,
                                                    std::vector<std::unique_ptr<Gate>>& gates);

}  // namespace hearth
