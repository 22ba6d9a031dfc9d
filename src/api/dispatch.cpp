#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "api/route.h"
#include "api/server.h"
#include "codec/config.h"

namespace hearth {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

// "localhost:7411" to "localhost", "[::1]:7411" to "::1"; "" when it is neither.
std::string host_name(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == std::string_view::npos ? "" : lower(host.substr(1, end - 1));
  }
  std::string name = lower(host.substr(0, host.find(':')));
  if (name.ends_with('.')) name.pop_back();
  return name;
}

bool is_loopback_name(std::string_view name) {
  if (name == "localhost" || name == "::1" || name == "127.0.0.1") return true;
  if (!name.starts_with("127.")) return false;
  return std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool is_ours(const Exchange& exchange, std::string_view host) {
  const std::string name = host_name(host);
  if (name.empty()) return false;
  if (is_loopback_name(name) || name == exchange.listen_host()) return true;
  return std::ranges::any_of(exchange.options().hosts,
                             [&](const std::string& known) { return host_name(known) == name; });
}

// Takes as long for a wrong key as for a right one.
bool keys_match(std::string_view given, std::string_view wanted) {
  unsigned difference = given.size() == wanted.size() ? 0U : 1U;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = wanted[i % wanted.size()];
    difference |= static_cast<unsigned>(given[i] != other);
  }
  return difference == 0;
}

bool has_key(const Exchange& exchange) {
  const std::string& wanted = exchange.options().api_key;
  if (wanted.empty() || exchange.is_unix()) return true;
  if (keys_match(exchange.request().x_api_key, wanted)) return true;
  const std::string_view header = exchange.request().authorization;
  constexpr std::string_view scheme = "bearer ";
  if (header.size() <= scheme.size() || lower(header.substr(0, scheme.size())) != scheme) {
    return false;
  }
  return keys_match(header.substr(scheme.size()), wanted);
}

bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return lower(type) == "application/json";
}

void refuse(Exchange& exchange, int status, Errc code, std::string detail,
            std::string headers = {}) {
  Exchange::Problem problem;
  problem.status = status;
  problem.code = code;
  problem.title = status == http_status(code) ? "" : reason_phrase(status);
  problem.detail = std::move(detail);
  problem.headers = std::move(headers);
  exchange.problem(std::move(problem));
}

void refuse_key(Exchange& exchange) {
  refuse(exchange, 401, Errc::denied,
         "an API key is needed: `Authorization: Bearer KEY` with the key of `api_key`",
         "WWW-Authenticate: Bearer\r\n");
}

// True when the request may go on.
bool passes_guard(Exchange& exchange) {
  const ApiRequest& request = exchange.request();
  if (exchange.is_unix()) return true;
  if (request.host_count > 1 || (request.host_count == 0 && request.is_http_1_1)) {
    refuse(exchange, 400, Errc::invalid, "one Host header is needed");
    return false;
  }
  if (request.host_count == 1 && !is_ours(exchange, request.host)) {
    refuse(exchange, 421, Errc::denied,
           "Host: this daemon does not answer to that name; add it to `listen.hosts`");
    return false;
  }
  if (!request.has_origin) return true;
  std::string_view origin = request.origin;
  const std::size_t scheme = origin.find("://");
  const bool is_plain = scheme != std::string_view::npos;
  if (!is_plain || !is_ours(exchange, origin.substr(scheme + 3))) {
    refuse(exchange, 403, Errc::denied,
           "Origin: a page of another site may not speak to this daemon; add its host to "
           "`listen.hosts`");
    return false;
  }
  return true;
}

// The path's segments matched against the pattern's; parameters stay encoded.
bool matches(std::string_view pattern, std::string_view path,
             std::vector<std::string_view>& parameters) {
  parameters.clear();
  while (true) {
    const std::size_t pattern_end = std::min(pattern.find('/', 1), pattern.size());
    const std::size_t path_end = std::min(path.find('/', 1), path.size());
    const std::string_view part = pattern.substr(0, pattern_end);
    const std::string_view given = path.substr(0, path_end);
    if (part.ends_with("*}")) return true;
    if (part.starts_with("/{")) {
      if (given.size() < 2) return false;
      parameters.push_back(given.substr(1));
    } else if (part != given) {
      return false;
    }
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
    if (pattern.ends_with("*}") && pattern.rfind('/') == 0) return true;
    if (pattern.empty() || path.empty()) return pattern.empty() && path.empty();
  }
}

void not_found(Exchange& exchange) {
  std::vector<std::string> known;
  for (const NamedRouteGroup& named : route_groups()) {
    for (const Route& route : named.group->routes) {
      if (std::ranges::find(known, route.pattern) == known.end()) known.emplace_back(route.pattern);
    }
  }
  Exchange::Problem problem;
  problem.status = 404;
  problem.code = Errc::not_found;
  problem.near = near_names(exchange.request().path.substr(0, 200), known);
  problem.detail = "no such path; see /openapi.json";
  if (!problem.near.empty()) problem.detail = "no such path; did you mean " + problem.near[0] + "?";
  exchange.problem(std::move(problem));
}

bool is_write(Method method) { return method == Method::post || method == Method::put; }

void call(Exchange& exchange, const Route& route, const std::vector<std::string_view>& parameters) {
  const ApiRequest& request = exchange.request();
  // A picture or a link of a page sends no Origin.
  const std::string_view site = request.fetch_site;
  if (route.is_change && !site.empty() && site != "same-origin" && site != "none") {
    refuse(exchange, 403, Errc::denied, "a page of another site may not ask this of the daemon");
    return;
  }
  const bool has_body = request.method == Method::del && !request.body.empty();
  const bool must_be_json = is_write(request.method) || has_body;
  if (must_be_json && !route.takes_any_type && !is_json(request.content_type)) {
    refuse(exchange, 415, Errc::invalid, "a write needs `content-type: application/json`");
    return;
  }
  for (const std::string_view parameter : parameters) {
    auto decoded = percent_decoded(parameter);
    if (!decoded) {
      refuse(exchange, 400, Errc::invalid, "the path holds a malformed percent escape");
      return;
    }
    exchange.parameters.push_back(*std::move(decoded));
  }
  route.handle(exchange);
}

}  // namespace

const Route* find_relay(Exchange& exchange) {
  const ApiRequest& request = exchange.request();
  std::vector<std::string_view> parameters;
  for (const NamedRouteGroup& named : route_groups()) {
    for (const Route& route : named.group->routes) {
      if (route.relay == nullptr) continue;
      if (route.method != Method::other && route.method != request.method) continue;
      if (!matches(route.pattern, request.path, parameters)) continue;
      exchange.dialect = route.relay->dialect;
      for (const std::string_view parameter : parameters) {
        exchange.parameters.push_back(percent_decoded(parameter).value_or(std::string(parameter)));
      }
      return &route;
    }
  }
  return nullptr;
}

bool let_in(Exchange& exchange) {
  if (!passes_guard(exchange)) return false;
  if (has_key(exchange)) return true;
  refuse_key(exchange);
  return false;
}

void dispatch(Exchange& exchange) {
  if (!passes_guard(exchange)) return;
  const ApiRequest& request = exchange.request();
  const Method wanted = request.method == Method::head ? Method::get : request.method;
  std::vector<std::string_view> parameters;
  const bool is_trusted = has_key(exchange);
  std::string allowed;
  for (const NamedRouteGroup& named : route_groups()) {
    for (const Route& route : named.group->routes) {
      if (!matches(route.pattern, request.path, parameters)) continue;
      exchange.dialect = route.dialect;
      const bool is_it = route.method == wanted && route.relay == nullptr;
      if (is_it && (is_trusted || route.is_open)) {
        call(exchange, route, parameters);
        return;
      }
      allowed += allowed.empty() ? "" : ", ";
      allowed += name_of(route.method);
      if (route.method == Method::get) allowed += ", HEAD";
    }
  }
  if (!is_trusted) {
    refuse_key(exchange);
  } else if (!allowed.empty()) {
    refuse(exchange, 405, Errc::invalid, "this path has other methods: " + allowed,
           "Allow: " + allowed + "\r\n");
  } else {
    not_found(exchange);
  }
}

}  // namespace hearth
