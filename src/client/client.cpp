#include "client/client.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "codec/json.h"

namespace hearth {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT: read once, before any thread is started
  return value == nullptr ? "" : value;
}

std::optional<Json> read_address_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  auto json = parse_json_object(text.str());
  if (!json) return std::nullopt;
  return *std::move(json);
}

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<HttpAddress> find_address(const ClientOptions& options) {
  if (!options.url.empty()) return parse_http_address(options.url);
  if (const std::string url = environment("HEARTH_URL"); !url.empty()) {
    return parse_http_address(url);
  }
  const std::string state = options.state_dir.empty() ? default_state_dir() : options.state_dir;
  if (const auto json = read_address_file(state + "/address.json")) {
    const std::string socket = text_at(*json, "socket");
    if (!socket.empty() && ::access(socket.c_str(), R_OK | W_OK) == 0) {
      return parse_http_address("unix:" + socket);
    }
    if (const std::string http = text_at(*json, "http"); !http.empty()) {
      return parse_http_address(http);
    }
  }
  if (!options.state_dir.empty()) {
    return parse_http_address("unix:" + options.state_dir + "/hearth.sock");
  }
  return parse_http_address("http://127.0.0.1:7411");
}

}  // namespace

std::string default_state_dir() {
  if (std::string state = environment("HEARTH_STATE"); !state.empty()) return state;
  if (const std::string xdg = environment("XDG_STATE_HOME"); !xdg.empty()) return xdg + "/hearth";
  if (::geteuid() == 0) return "/var/lib/hearth";
  return environment("HOME") + "/.local/state/hearth";
}

Client::Client(HttpClient http, std::string api_key)
    : http_(std::move(http)), api_key_(std::move(api_key)) {}

Result<Client> Client::find(const ClientOptions& options) {
  const HttpAddress address = HEARTH_TRY(find_address(options));
  return Client{HttpClient{address},
                options.api_key.empty() ? environment("HEARTH_API_KEY") : options.api_key};
}

std::string Client::address() const { return to_text(http_.address()); }

namespace {

void add_key(HttpCall& call, const std::string& api_key) {
  if (!api_key.empty()) call.headers.emplace_back("Authorization", "Bearer " + api_key);
}

Error told(Error error, const std::string& address) {
  if (error.code == Errc::unavailable) {
    error.detail = "no daemon at " + address + ": start it with `hearth serve`";
  } else if (error.code == Errc::timed_out) {
    error.detail = "the daemon at " + address + " did not answer in time";
  }
  return error;
}

}  // namespace

Result<Response> Client::send(HttpCall call) {
  if (call.method == "POST" || call.method == "PUT") {
    call.headers.emplace_back("Content-Type", "application/json");
  }
  add_key(call, api_key_);
  auto reply = http_.send(call);
  if (!reply) return std::unexpected(told(std::move(reply).error(), address()));
  return Response{reply->status, std::move(reply->body)};
}

Result<Response> Client::get(const std::string& path, Duration timeout) {
  HttpCall call;
  call.path = path;
  call.timeout = timeout;
  return send(std::move(call));
}

Result<Response> Client::post(const std::string& path, std::string json, Duration timeout) {
  HttpCall call;
  call.method = "POST";
  call.path = path;
  call.body = std::move(json);
  call.timeout = timeout;
  return send(std::move(call));
}

Result<Response> Client::put(const std::string& path, std::string json, Duration timeout) {
  HttpCall call;
  call.method = "PUT";
  call.path = path;
  call.body = std::move(json);
  call.timeout = timeout;
  return send(std::move(call));
}

Result<Response> Client::del(const std::string& path, Duration timeout) {
  HttpCall call;
  call.method = "DELETE";
  call.path = path;
  call.timeout = timeout;
  return send(std::move(call));
}

Result<> Client::events(std::optional<std::uint64_t> after, const OnEvent& on_event,
                        std::stop_token stop) {
  HttpCall call;
  call.path = "/v1/events";
  call.timeout = 60s;  // the daemon sends a comment every 15 s
  call.stop = stop;
  call.headers.emplace_back("Accept", "text/event-stream");
  if (after) call.headers.emplace_back("Last-Event-ID", std::to_string(*after));
  add_key(call, api_key_);
  StreamEvent event;
  std::string other_lines;
  const auto on_line = [&](std::string_view line) {
    const auto field = [&](std::string_view name, std::string& into) {
      if (!line.starts_with(name)) return false;
      std::string_view value = line.substr(name.size());
      if (value.starts_with(' ')) value.remove_prefix(1);
      into = value;
      return true;
    };
    if (line.empty()) {
      const bool goes_on = event.data.empty() || on_event(event);
      event = {};
      return goes_on;
    }
    if (!field("id:", event.id) && !field("event:", event.name) && !field("data:", event.data) &&
        !line.starts_with(':')) {
      other_lines += line;
    }
    return true;
  };
  auto status = http_.stream(call, on_line);
  if (!status && stop.stop_requested()) return {};
  if (!status) return std::unexpected(told(std::move(status).error(), address()));
  if (*status != 200) {
    return fail(*status == 401 ? Errc::denied : Errc::failed,
                problem_text(Response{*status, other_lines}));
  }
  return {};
}

std::string problem_text(const Response& response) {
  if (const auto json = parse_json_object(response.body)) {
    if (std::string detail = text_at(*json, "detail"); !detail.empty()) return detail;
    if (std::string title = text_at(*json, "title"); !title.empty()) return title;
  }
  if (response.body.empty()) return "status " + std::to_string(response.status);
  return response.body;
}

}  // namespace hearth
