// A conversation with one model of a server that is not ours.
//
// Contract   look() asks what the server has of the model; load() and unload() tell it and wait
//            until it is so. Nothing is kept between calls. A StatusRound is one look at many
//            models: each question is put once, and a server that did not answer it is not asked
//            again.
// Errors     unavailable, not_found, failed, timed_out, corrupt; with the server's own words.
// Threads    thread-compatible.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "drivers/server_presets.h"
#include "net/http_client.h"
#include "ports/driver.h"

namespace hearth {

struct ModelSight {
  bool is_loaded = false;
  bool will_expire = false;  // the server unloads it by itself before long
  MemoryFigures memory{};
};

class ModelServer {
 public:
  // `name` is the component's, for messages.
  ModelServer(std::string name, ServerRules rules);

  [[nodiscard]] Result<ModelSight> look(Duration timeout, std::stop_token stop = {});
  // Blocks until it is loaded.
  [[nodiscard]] Result<ModelSight> load(Instant deadline, std::stop_token stop);
  // Told once; also to keep a model from expiring.
  [[nodiscard]] Result<> tell_to_load(Duration timeout, std::stop_token stop = {});
  // Blocks until it is gone.
  [[nodiscard]] Result<> unload(Duration timeout);

  [[nodiscard]] const ServerRules& rules() const { return rules_; }

 private:
  [[nodiscard]] Result<HttpReply> ask(const ServerRequest& request, Duration timeout,
                                      std::stop_token stop);
  [[nodiscard]] std::unexpected<Error> refused(const ServerRequest& request,
                                               const HttpReply& reply) const;
  [[nodiscard]] std::unexpected<Error> explain(const Error& error) const;

  std::string name_;
  ServerRules rules_;
};

class StatusRound {
 public:
  // As ModelServer::look(), of what the server said first in this round.
  [[nodiscard]] Result<ModelSight> look(const std::string& name, const ServerRules& rules,
                                        Duration timeout, std::stop_token stop = {});

 private:
  std::map<std::pair<std::string, std::string>, HttpReply> replies_;  // by url and path
  std::map<std::string, Error> silent_;                               // by url
};

// What the answer to a status request says of a model. A size that no memory has is not one: it
// counts as not told. Errors: corrupt.
[[nodiscard]] Result<ModelSight> read_status(const ServerRules& rules, std::string_view body,
                                             int year_now);

}  // namespace hearth
