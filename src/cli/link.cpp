#include "cli/link.h"

namespace hearth {

Errc errc_of_status(int status) {
  switch (status) {
    case 400:
    case 405:
    case 415:
      return Errc::invalid;
    case 401:
    case 403:
    case 421:
      return Errc::denied;
    case 404:
      return Errc::not_found;
    case 409:
      return Errc::conflict;
    case 413:
    case 431:
      return Errc::too_large;
    case 429:
      return Errc::exhausted;
    case 502:
      return Errc::failed;
    case 503:
      return Errc::unavailable;
    case 408:
    case 504:
      return Errc::timed_out;
    default:
      return Errc::io;
  }
}

namespace {

// What a key is called here, rather than over HTTP.
constexpr std::string_view key_text =
    "the daemon wants an API key: set HEARTH_API_KEY to its `api_key`, or name its configuration "
    "with --config";

}  // namespace

Result<OrderedJson> Link::read(Result<Response> response) {
  if (!response) {
    is_unreachable_ = response.error().code == Errc::unavailable;
    return std::unexpected(std::move(response).error());
  }
  if (response->status == 401) return fail(Errc::denied, std::string{key_text});
  if (!response->is_ok()) return fail(errc_of_status(response->status), problem_text(*response));
  auto json = read_json(response->body);
  if (!json) return fail(Errc::corrupt, client_.address() + ": answers no JSON");
  return std::move(*json);
}

Result<OrderedJson> Link::get(const std::string& path) { return read(client_.get(path)); }

Result<OrderedJson> Link::post(const std::string& path, const OrderedJson& body, Duration timeout) {
  return read(client_.post(path, dump_json(body), timeout));
}

Result<OrderedJson> Link::del(const std::string& path) { return read(client_.del(path)); }

Result<> check_components(Link& link, const std::vector<std::string>& names) {
  for (const std::string& name : names) HEARTH_TRY(check_component_name(name));
  for (const std::string& name : names) {
    (void)HEARTH_TRY(link.get("/v1/components/" + url_escape(name)));
  }
  return {};
}

Result<> Link::events(std::optional<std::uint64_t> after, const OnEvent& on_event) {
  auto result = client_.events(after, on_event);
  // Only a key can be missing: the host and the origin are ours.
  if (!result && result.error().code == Errc::denied)
    return fail(Errc::denied, std::string{key_text});
  if (!result) is_unreachable_ = result.error().code == Errc::unavailable;
  return result;
}

}  // namespace hearth
