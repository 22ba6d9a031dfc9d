#include "api/request_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>
#include <optional>
#include <utility>

#include "base/limits.h"

namespace hearth {
namespace {

namespace http = boost::beast::http;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Method method_of(http::verb verb) {
  if (verb == http::verb::get) return Method::get;
  if (verb == http::verb::head) return Method::head;
  if (verb == http::verb::post) return Method::post;
  if (verb == http::verb::put) return Method::put;
  if (verb == http::verb::delete_) return Method::del;
  return Method::other;
}

}  // namespace

struct RequestReader::Parser {
  std::optional<http::request_parser<http::string_body>> http;
};

RequestReader::RequestReader() : parser_(std::make_unique<Parser>()) { reset(); }
RequestReader::~RequestReader() = default;

void RequestReader::reset() {
  parser_->http.emplace();
  parser_->http->eager(false);  // it stops after the header
  parser_->http->header_limit(header_bytes_max);
  // Judged once it is known that the body is ours.
  parser_->http->body_limit(std::numeric_limits<std::uint64_t>::max());
  request_ = {};
  has_begun_ = false;
  is_head_told_ = false;
  framing_ = {};
  was_told_ = false;
  status_ = 0;
}

RequestReader::Fed RequestReader::refused(int status, std::string detail) {
  status_ = status;
  detail_ = std::move(detail);
  return {State::refused, 0};
}

RequestReader::Fed RequestReader::feed(std::string_view bytes) {
  auto& parser = *parser_->http;
  std::size_t consumed = 0;
  if (is_head_told_ && framing_.length > body_bytes_max) {
    return refused(413, "the body is larger than 1 MiB");
  }
  while (consumed < bytes.size() && !parser.is_done()) {
    has_begun_ = true;
    boost::system::error_code error;
    const std::string_view rest = bytes.substr(consumed);
    const std::size_t took = parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
    consumed += took;
    if (error == http::error::need_more) {
      if (!parser.is_header_done() && rest.size() - took > header_bytes_max) {
        return refused(431, "the header is larger than 16 KiB");
      }
      break;
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return refused(431, "the header is larger than 16 KiB");
    }
    if (error) return refused(400, "not HTTP/1.1: " + error.message());
    if (parser.is_header_done() && !is_head_told_) {
      is_head_told_ = true;
      if (std::string unclear = read_framing(); !unclear.empty()) {
        return refused(400, std::move(unclear));
      }
      read_header();
      return {State::head, consumed};
    }
    if (parser.get().body().size() > body_bytes_max) {
      return refused(413, "the body is larger than 1 MiB");
    }
    if (took == 0) break;
  }
  if (!parser.is_done()) return {State::more, consumed};
  request_.body = parser.get().body();
  return {State::complete, consumed};
}

bool RequestReader::wants_continue() {
  const auto& parser = *parser_->http;
  if (was_told_ || !parser.is_header_done() || parser.is_done()) return false;
  was_told_ = true;
  return boost::beast::iequals(parser.get()[http::field::expect], "100-continue");
}

std::string RequestReader::read_framing() {
  const auto& parser = *parser_->http;
  const auto& message = parser.get();
  framing_ = {};
  const std::size_t lengths = message.count(http::field::content_length);
  const std::size_t codings = message.count(http::field::transfer_encoding);
  if (lengths > 1) return "two Content-Length headers: it is not clear where the body ends";
  if (codings > 0 && lengths > 0) {
    return "Content-Length beside Transfer-Encoding: it is not clear where the body ends";
  }
  if (codings > 1 || (codings == 1 &&
                      !boost::beast::iequals(message[http::field::transfer_encoding], "chunked"))) {
    return "Transfer-Encoding: only `chunked` is understood";
  }
  if (codings == 1) {
    framing_.kind = BodyFraming::Kind::chunked;
  } else if (const auto length = parser.content_length(); length && *length > 0) {
    framing_ = {.kind = BodyFraming::Kind::length, .length = *length};
  }
  return {};
}

HeaderList RequestReader::headers() const {
  HeaderList list;
  for (const auto& field : parser_->http->get()) {
    list.emplace_back(view(field.name_string()), view(field.value()));
  }
  return list;
}

std::string_view RequestReader::method() const {
  return view(parser_->http->get().method_string());
}
std::string_view RequestReader::target() const { return view(parser_->http->get().target()); }

void RequestReader::read_header() {
  const auto& message = parser_->http->get();
  request_.method = method_of(message.method());
  const std::string_view target = view(message.target());
  const std::size_t question = std::min(target.find('?'), target.size());
  request_.path = target.starts_with('/') ? target.substr(0, question) : std::string_view{};
  request_.query = target.substr(std::min(question + 1, target.size()));
  for (const auto& field : message) {
    const std::string_view value = view(field.value());
    switch (field.name()) {
      case http::field::host:
        ++request_.host_count;
        request_.host = value;
        break;
      case http::field::origin:
        request_.has_origin = true;
        request_.origin = value;
        break;
      case http::field::content_type:
        request_.content_type = value;
        break;
      case http::field::accept:
        request_.accept = value;
        break;
      case http::field::authorization:
        request_.authorization = value;
        break;
      default:
        if (boost::beast::iequals(field.name_string(), "Last-Event-ID")) {
          request_.last_event_id = value;
        } else if (boost::beast::iequals(field.name_string(), "X-Api-Key")) {
          request_.x_api_key = value;
        } else if (boost::beast::iequals(field.name_string(), "Sec-Fetch-Site")) {
          request_.fetch_site = value;
        }
        break;
    }
  }
  request_.is_http_1_1 = message.version() >= 11;
  request_.is_kept = message.keep_alive();
}

}  // namespace hearth
