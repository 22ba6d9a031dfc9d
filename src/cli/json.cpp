#include "cli/json.h"

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

std::string joined(const OrderedJson& array, std::string_view separator) {
  std::string text;
  for (const OrderedJson& value : array) {
    if (!text.empty()) text += separator;
    text += value.is_string() ? value.get<std::string>() : dump_json(value);
  }
  return text;
}

}  // namespace hearth
