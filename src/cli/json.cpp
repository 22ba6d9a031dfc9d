#include "cli/json.h"

#include "codec/yaml_tree.h"

namespace hearth {
namespace {

const OrderedJson* find(const OrderedJson& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string{key});
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::string text_of(const OrderedJson& object, std::string_view key, std::string_view fallback) {
  const OrderedJson* value = find(object, key);
  if (value == nullptr || value->is_null()) return std::string{fallback};
  if (value->is_string()) return value->get<std::string>();
  return dump_json(*value);
}

double number_of(const OrderedJson& object, std::string_view key, double fallback) {
  const OrderedJson* value = find(object, key);
  return value != nullptr && value->is_number() ? value->get<double>() : fallback;
}

bool flag_of(const OrderedJson& object, std::string_view key) {
  const OrderedJson* value = find(object, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

OrderedJson part_of(const OrderedJson& object, std::string_view key) {
  const OrderedJson* value = find(object, key);
  return value != nullptr && value->is_structured() ? *value : OrderedJson::array();
}

Result<> check_utf8(std::string_view text, std::string_view what) {
  const auto at = invalid_utf8_at(text);
  if (!at) return {};
  return fail(Errc::invalid, std::string{what} + " is not UTF-8 at byte " +
                                 std::to_string(*at + 1) + ": send UTF-8");
}

Result<> check_component_name(std::string_view name) {
  if (name.empty()) return fail(Errc::invalid, "the name is empty: `hearth ps` lists all names");
  return check_utf8(name, "the name");
}

std::string joined(const OrderedJson& array, std::string_view separator) {
  std::string text;
  for (const OrderedJson& value : array) {
    if (!text.empty()) text += separator;
    text += value.is_string() ? value.get<std::string>() : dump_json(value);
  }
  return text;
}

}  // namespace hearth
