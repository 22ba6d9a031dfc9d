// The tables of keys as a JSON Schema and as a reference in Markdown.
#include <nlohmann/json.hpp>

#include "codec/config_reader.h"
#include "codec/config_text.h"
#include "codec/json.h"

namespace hearth {
namespace {

constexpr std::string_view name_pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

OrderedJson reference_to(std::string_view section) {
  return {{"$ref", "#/$defs/" + std::string{section}}};
}

OrderedJson by_name(OrderedJson value, std::string_view pattern) {
  return {{"type", {"object", "null"}},
          {"patternProperties", {{std::string{pattern}, std::move(value)}}},
          {"additionalProperties", false}};
}

OrderedJson texts() {
  return {{"anyOf", {{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}}}};
}

OrderedJson choices_of(std::string_view choices) {
  OrderedJson list = OrderedJson::array();
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    list.push_back(std::string{choices.substr(0, bar)});
    choices = bar == std::string_view::npos ? "" : choices.substr(bar + 1);
  }
  return {{"enum", std::move(list)}};
}

OrderedJson schema_of(const KeyText& key) {
  switch (key.form) {
    case Form::text:
      return {{"type", {"string", "number", "boolean"}}};
    case Form::texts:
      return texts();
    case Form::command:
      return texts();
    case Form::size:
      return reference_to("size");
    case Form::budget:
      return {{"anyOf", {reference_to("size"), {{"type", "string"}, {"pattern", "^[0-9.]+%$"}}}}};
    case Form::duration:
      return reference_to("duration");
    case Form::whole:
      return {{"type", "integer"}, {"minimum", 0}};
    case Form::number:
      return {{"type", "number"}, {"minimum", 0}};
    case Form::boolean:
      return {{"type", "boolean"}};
    case Form::choice:
      return choices_of(key.detail);
    case Form::section:
      return reference_to(key.detail);
    case Form::text_or_section:
      return {{"anyOf", {{{"type", "string"}}, reference_to(key.detail)}}};
    case Form::pools_by_name: {
      OrderedJson section{
          {"type", "object"},
          {"properties", {{"size", reference_to("size")}, {"hard", {{"type", "boolean"}}}}},
          {"required", {"size"}},
          {"additionalProperties", false}};
      OrderedJson either{{"anyOf", {reference_to("size"), std::move(section)}}};
      return by_name(std::move(either), name_pattern);
    }
    case Form::devices_by_name: {
      OrderedJson words{{"enum", {"exclusive", "auto"}}};
      OrderedJson either{{"anyOf", {reference_to("size"), std::move(words)}}};
      return {{"anyOf",
               {by_name(std::move(either), name_pattern),
                {{"type", "array"}, {"items", {{"type", "string"}}}}}}};
    }
    case Form::texts_by_name:
      return by_name({{"type", {"string", "number", "boolean"}}}, "^[^=]+$");
    case Form::sections_by_name:
      return by_name(reference_to(key.detail), name_pattern);
    case Form::refused:
      return OrderedJson(false);
  }
  return {};
}

OrderedJson object_of(const SectionText& section) {
  OrderedJson properties = OrderedJson::object();
  for (const KeyText& key : section.keys) {
    OrderedJson schema = schema_of(key);
    if (schema.is_object()) {
      std::string description{key.meaning};
      if (!key.initial.empty()) description += " Default: " + std::string{key.initial} + ".";
      schema["description"] = std::move(description);
    }
    properties[std::string{key.name}] = std::move(schema);
  }
  return {{"type", {"object", "null"}},
          {"properties", std::move(properties)},
          {"additionalProperties", false}};
}

std::string form_text(const KeyText& key) {
  switch (key.form) {
    case Form::text:
      return "text";
    case Form::texts:
      return "list of texts";
    case Form::command:
      return "line, or list of words";
    case Form::size:
      return "size";
    case Form::budget:
      return "size or share";
    case Form::duration:
      return "duration";
    case Form::whole:
      return "whole number";
    case Form::number:
      return "number";
    case Form::boolean:
      return "true or false";
    case Form::choice: {
      std::string text;
      const auto choices = choices_of(key.detail);
      for (const auto& each : choices.at("enum")) {
        text += (text.empty() ? "`" : ", `") + each.get<std::string>() + "`";
      }
      return text;
    }
    case Form::section:
      return "section";
    case Form::text_or_section:
      return "text or section";
    case Form::pools_by_name:
      return "sizes or `{size, hard}` by name";
    case Form::devices_by_name:
      return "sizes, `auto` or `exclusive` by name, or a list of names";
    case Form::texts_by_name:
      return "texts by name";
    case Form::sections_by_name:
      return "sections by name";
    case Form::refused:
      return "not supported yet";
  }
  return "";
}

}  // namespace

std::string json_schema() {
  const std::vector<SectionText> sections = config_sections();
  OrderedJson schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                        {"title", "hearth.yaml"},
                        {"description", "Configuration of the Hearth daemon"}};
  schema.update(object_of(sections.front()));
  OrderedJson definitions = OrderedJson::object();
  definitions["size"] = {
      {"anyOf",
       {{{"type", "integer"}, {"minimum", 0}},
        {{"type", "string"},
         {"pattern", "^([0-9]+([.][0-9]+)? ?([KMGTkmgt][Ii]?)?[Bb]?|unlimited)$"}}}}};
  definitions["duration"] = {
      {"anyOf",
       {{{"const", 0}},
        {{"type", "string"}, {"pattern", "^(0|([0-9]+([.][0-9]+)?(d|h|m|s|ms|us|ns))+)$"}}}}};
  for (std::size_t i = 1; i < sections.size(); ++i) {
    definitions[std::string{sections[i].name}] = object_of(sections[i]);
  }
  // A component whose kind is not named is a process, and that has a command.
  definitions["component"]["anyOf"] = {{{"required", {"cmd"}}}, {{"required", {"kind"}}}};
  schema["$defs"] = std::move(definitions);
  return dump_json(schema, 2) + "\n";
}

std::string config_reference() {
  std::string text;
  for (const SectionText& section : config_sections()) {
    const bool is_root = section.name.empty();
    const std::string title = is_root ? "The file" : "`" + std::string{section.name} + "`";
    text += "## " + title + "\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const KeyText& key : section.keys) {
      const std::string initial = key.initial.empty() ? "" : "`" + std::string{key.initial} + "`";
      text += "| `" + std::string{key.name} + "` | " + form_text(key) + " | " + initial + " | " +
              std::string{key.meaning} + " |\n";
    }
    text += "\n";
  }
  return text;
}

}  // namespace hearth
