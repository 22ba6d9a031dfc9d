#include "drivers/server_presets.h"

#include <utility>

#include "codec/json.h"
#include "net/http_client.h"

namespace hearth {
namespace {

// Ollama spells a name without a tag with `:latest`. -1: until it is told otherwise; 0: now.
ServerRules ollama(const std::string& model) {
  ServerRules rules;
  rules.url = "http://127.0.0.1:11434";
  const std::size_t slash = model.rfind('/');
  const bool has_tag = model.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos;
  rules.model = has_tag ? model : model + ":latest";
  rules.load = {"POST", "/api/generate", R"({"model":"${MODEL}","keep_alive":-1})"};
  rules.load_otherwise = {"POST", "/api/embed", R"({"model":"${MODEL}","keep_alive":-1})"};
  rules.unload = {"POST", "/api/generate", R"({"model":"${MODEL}","keep_alive":0})"};
  rules.status = {.path = "/api/ps",
                  .list = "models",
                  .name = "name",
                  .state = "",
                  .loaded = {},
                  .size = "size",
                  .device_size = "size_vram"};
  rules.expiry = "expires_at";
  rules.mend = "`ollama pull " + model + "`";
  return rules;
}

// llama-server without a model of its own: one that starts a process for each.
ServerRules llama_server(const std::string& model) {
  ServerRules rules;
  rules.url = "http://127.0.0.1:8080";
  rules.model = model;
  rules.load = {"POST", "/models/load", R"({"model":"${MODEL}"})"};
  rules.unload = {"POST", "/models/unload", R"({"model":"${MODEL}"})"};
  rules.status = {.path = "/models",
                  .list = "data",
                  .name = "id",
                  .state = "status.value",
                  .loaded = {"loaded", "sleeping"},
                  .size = "",
                  .device_size = ""};
  rules.mend = "see its --models-dir";
  return rules;
}

ServerRules triton(const std::string& model) {
  ServerRules rules;
  rules.url = "http://127.0.0.1:8000";
  rules.model = model;
  rules.load = {"POST", "/v2/repository/models/${MODEL}/load", "{}"};
  rules.unload = {"POST", "/v2/repository/models/${MODEL}/unload", "{}"};
  rules.status.path = "/v2/models/${MODEL}/ready";
  rules.mend = "see its --model-repository, and start it with --model-control-mode=explicit";
  return rules;
}

ServerRules lemonade(const std::string& model) {
  ServerRules rules;
  rules.url = "http://127.0.0.1:8000";
  rules.model = model;
  rules.load = {"POST", "/api/v1/load", R"({"model_name":"${MODEL}"})"};
  rules.unload = {"POST", "/api/v1/unload", R"({"model_name":"${MODEL}"})"};
  rules.status = {.path = "/api/v1/health",
                  .list = "all_models_loaded",
                  .name = "model_name",
                  .state = "",
                  .loaded = {},
                  .size = "",
                  .device_size = ""};
  rules.mend = "`lemonade pull " + model + "`";
  return rules;
}

std::string replace_model(std::string text, std::string_view model) {
  constexpr std::string_view macro = "${MODEL}";
  for (std::size_t at = 0; (at = text.find(macro, at)) != std::string::npos; at += model.size()) {
    text.replace(at, macro.size(), model);
  }
  return text;
}

}  // namespace

ServerRules resolve(const Launch& launch) {
  const ServerSpec& server = launch.server;
  const std::string& model = server.model.empty() ? launch.name : server.model;
  ServerRules rules;
  rules.model = model;
  if (server.preset == "ollama") rules = ollama(model);
  if (server.preset == "llama-server") rules = llama_server(model);
  if (server.preset == "triton") rules = triton(model);
  if (server.preset == "lemonade") rules = lemonade(model);
  if (!server.url.empty()) rules.url = server.url;
  if (!server.load.path.empty()) {
    rules.load = server.load;
    rules.load_otherwise = {};
  }
  if (!server.unload.path.empty()) rules.unload = server.unload;
  if (!server.status.path.empty()) {
    rules.status = server.status;
    rules.expiry.clear();
  }
  return rules;
}

std::string path_for(const ServerRequest& request, std::string_view model) {
  return replace_model(request.path, url_escape(model));
}

std::string body_for(const ServerRequest& request, std::string_view model) {
  const std::string quoted = dump_json(Json(std::string{model}));
  return replace_model(request.body, std::string_view{quoted}.substr(1, quoted.size() - 2));
}

}  // namespace hearth
