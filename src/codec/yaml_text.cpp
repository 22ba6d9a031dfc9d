#include "codec/yaml_text.h"

#include <algorithm>
#include <array>

#include "codec/config.h"

namespace hearth {
namespace {

bool is_plain(std::string_view text) {
  const auto is_safe = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '.' || c == '/' || c == '-' || c == '%';
  };
  static constexpr std::array<std::string_view, 3> nulls{"null", "Null", "NULL"};
  return !text.empty() && std::ranges::all_of(text, is_safe) && text[0] != '-' && text[0] != '%' &&
         text[0] != '.' && std::ranges::find(nulls, text) == nulls.end();
}

void append_escaped(std::string& out, unsigned char byte) {
  static constexpr std::string_view digits = "0123456789abcdef";
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) return std::string{text};
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("\u0085")) {
      out += "\\u0085";
      i += 1;
    } else if (rest.starts_with("\u2028") || rest.starts_with("\u2029")) {
      out += rest.starts_with("\u2028") ? "\\L" : "\\P";
      i += 2;
    } else if (rest.starts_with("\ufeff")) {
      out += "\\uFEFF";
      i += 2;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      append_escaped(out, static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string yaml_text(std::string_view value) {
  static constexpr std::string_view begin = "${env.";
  std::string escaped;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value.substr(i).starts_with(begin)) escaped += '$';
    escaped += value[i];
  }
  return yaml_scalar(escaped);
}

std::string yaml_scalars(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + yaml_scalar(item);
  return out + "]";
}

std::string yaml_texts(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + yaml_text(item);
  return out + "]";
}

std::string yaml_size(Bytes bytes) {
  const std::string pretty = format_bytes(bytes);
  return parse_bytes(pretty) == bytes ? pretty : std::to_string(bytes.count);
}

std::string yaml_duration(Duration span) {
  const std::string pretty = format_duration(span);
  return parse_duration(pretty) == span ? pretty : std::to_string(span.count()) + "ns";
}

void YamlSection::add(std::string_view key, const std::string& value) {
  out_ += std::string(indent_, ' ') + yaml_scalar(key) + ": " + value + "\n";
}

void YamlSection::add_folded(std::string_view key, const std::vector<std::string>& lines) {
  add(key, ">-");
  for (const std::string& line : lines) out_ += std::string(indent_ + 2, ' ') + line + "\n";
}

YamlSection YamlSection::open(std::string_view key) {
  out_ += std::string(indent_, ' ') + yaml_scalar(key) + ":\n";
  return YamlSection{out_, static_cast<int>(indent_ / 2) + 1};
}

}  // namespace hearth
