#include "codec/json.h"

#include <algorithm>

#include "codec/config.h"
#include "codec/yaml_tree.h"

namespace hearth {
namespace {

// Builds a Json from nlohmann's events and stops at the first thing that is refused. The depth is
// bounded before anything is built, so nothing here recurses further than that.
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit StrictBuilder(std::size_t depth_max) : depth_max_(depth_max) {}

  bool null() override { return add(Json(nullptr)); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(Json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return add(Json(value)); }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (stack_.back()->contains(name)) return refuse("the key `" + name + "` is there twice");
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    return refuse("not JSON at byte " + std::to_string(position));
  }

  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  Json take() { return std::move(root_); }

 private:
  bool refuse(std::string trouble) {
    trouble_ = std::move(trouble);
    return false;
  }
  Json* place(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }
  bool add(Json value) {
    if (stack_.empty()) return refuse("expected an object in braces");
    (void)place(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (stack_.empty() && !value.is_object()) return refuse("expected an object in braces");
    if (stack_.size() >= depth_max_) {
      return refuse("nested deeper than " + std::to_string(depth_max_));
    }
    stack_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  std::size_t depth_max_;
  Json root_;
  std::vector<Json*> stack_;  // an open container never moves: only its last child grows
  std::string key_;
  std::string trouble_;
};

template <class J>
std::string dump(const J& json, int indent) {
  return json.dump(indent, ' ', false, J::error_handler_t::replace);
}

// Short enough for an error line.
std::string shown(const Json& value) {
  std::string text = dump(value, -1);
  constexpr std::size_t shown_max = 60;
  if (text.size() <= shown_max) return text;
  std::size_t end = shown_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

}  // namespace

Result<Json> parse_json_object(std::string_view text, std::size_t depth_max) {
  if (const auto at = invalid_utf8_at(text)) {
    return fail(Errc::invalid,
                "body: not UTF-8 at byte " + std::to_string(*at + 1) + ": send UTF-8");
  }
  StrictBuilder builder{depth_max};
  const bool is_good = Json::sax_parse(text, &builder);
  if (!is_good) return fail(Errc::invalid, "body: " + builder.trouble());
  return builder.take();
}

std::optional<OrderedJson> read_json(std::string_view text) {
  OrderedJson json = OrderedJson::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::string dump_json(const Json& json, int indent) { return dump(json, indent); }
std::string dump_json(const OrderedJson& json, int indent) { return dump(json, indent); }

Result<RequestFields> RequestFields::parse(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return RequestFields{Json::object()};
  }
  return RequestFields{HEARTH_TRY(parse_json_object(body))};
}

const Json* RequestFields::find(std::string_view key) {
  asked_.emplace_back(key);
  const auto found = object_.find(std::string{key});
  if (found == object_.end() || found->is_null()) return nullptr;
  return &*found;
}

bool RequestFields::has(std::string_view key) const { return object_.contains(std::string{key}); }

void RequestFields::refuse(std::string_view key, std::string_view what) {
  if (error_) return;
  error_ = Error{Errc::invalid, "`" + std::string{key} + "`: " + std::string{what}};
}

void RequestFields::expected(std::string_view key, std::string_view what, const Json& got) {
  refuse(key, "expected " + std::string{what} + ", got " + shown(got));
}

std::optional<std::string> RequestFields::text(std::string_view key, std::size_t length_max) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr) {
    expected(key, "a text", *value);
    return std::nullopt;
  }
  if (text->size() > length_max) {
    refuse(key, "longer than " + std::to_string(length_max) + " bytes");
    return std::nullopt;
  }
  return *text;
}

std::optional<bool> RequestFields::boolean(std::string_view key) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) {
    expected(key, "true or false", *value);
    return std::nullopt;
  }
  return value->get<bool>();
}

std::optional<std::int64_t> RequestFields::whole(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::string range =
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const bool is_huge = value->is_number_unsigned() &&
                       value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  if (!value->is_number_integer() || is_huge) {
    expected(key, range, *value);
    return std::nullopt;
  }
  const auto number = value->get<std::int64_t>();
  if (number < least || number > most) {
    expected(key, range, *value);
    return std::nullopt;
  }
  return number;
}

std::optional<Duration> RequestFields::milliseconds(std::string_view key, Duration most) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(most).count();
  const bool is_whole = value->is_number_integer() &&
                        !(value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX);
  if (!is_whole) {
    expected(key, "a whole number of milliseconds", *value);
    return std::nullopt;
  }
  const auto count = value->get<std::int64_t>();
  if (count < 0 || count > limit) {
    expected(key, "milliseconds from 0 to " + std::to_string(limit), *value);
    return std::nullopt;
  }
  return std::chrono::milliseconds{count};
}

std::optional<std::vector<std::string>> RequestFields::texts(std::string_view key,
                                                             std::size_t count_max) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool is_list = value->is_array() && std::ranges::all_of(*value, [](const Json& element) {
                         return element.is_string();
                       });
  if (!is_list) {
    expected(key, "a list of texts", *value);
    return std::nullopt;
  }
  if (value->size() > count_max) {
    refuse(key, "more than " + std::to_string(count_max) + " entries");
    return std::nullopt;
  }
  return value->get<std::vector<std::string>>();
}

std::optional<std::string> RequestFields::choice(std::string_view key,
                                                 const std::vector<std::string>& choices) {
  const std::optional<std::string> value = text(key);
  if (!value || std::ranges::find(choices, *value) != choices.end()) return value;
  std::string all;
  for (const std::string& each : choices) all += (all.empty() ? "`" : ", `") + each + "`";
  expected(key, "one of " + all, Json(*value));
  return std::nullopt;
}

std::string RequestFields::required_text(std::string_view key, std::size_t length_max) {
  std::optional<std::string> value = text(key, length_max);
  if (!value) refuse(key, "is missing");
  return std::move(value).value_or("");
}

std::vector<std::string> RequestFields::required_texts(std::string_view key,
                                                       std::size_t count_max) {
  auto value = texts(key, count_max);
  if (!value) refuse(key, "is missing");
  return std::move(value).value_or(std::vector<std::string>{});
}

Result<> RequestFields::finish() {
  for (const auto& [key, value] : object_.items()) {
    if (error_) break;
    if (std::ranges::find(asked_, key) != asked_.end()) continue;
    const std::vector<std::string> near = near_names(key, asked_);
    std::string short_key = key.size() > 64 ? "..." : key;
    error_ = Error{Errc::invalid, "unknown key `" + short_key + "`" +
                                      (near.empty() ? "" : ": did you mean `" + near[0] + "`?")};
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace hearth
