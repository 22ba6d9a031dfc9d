#include "intent/text.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <cstdint>

#include "base/assert.h"
#include "base/hash.h"

namespace hearth {
namespace {

enum class Kind : unsigned char {
  separator,
  letter,      // joins with letters beside it
  alone,       // a word by itself, with its marks
  katakana,    // joins with katakana only
  continuing,  // joins with what is before it
};

constexpr char16_t dotless_i = 0x131;
constexpr char16_t dot_above = 0x307;
constexpr UChar32 prolonged_sound = 0x30fc;

Kind kind_of(UChar32 c) {
  if (c == prolonged_sound) return Kind::continuing;
  const std::uint32_t category = U_GET_GC_MASK(c);
  if ((category & U_GC_M_MASK) != 0) return Kind::continuing;
  if (u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) && c >= 0x80) return Kind::alone;
  if ((category & (U_GC_L_MASK | U_GC_N_MASK)) == 0) return Kind::separator;
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(c, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return Kind::alone;
    case USCRIPT_KATAKANA:
      return Kind::katakana;
    default:
      return Kind::letter;
  }
}

void append_utf8(std::string& out, UChar32 c) {
  const auto code = static_cast<std::uint32_t>(c);
  const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | code >> 6);
    add(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    add(0xe0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3f));
    add(0x80 | (code & 0x3f));
  } else {
    add(0xf0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3f));
    add(0x80 | (code >> 6 & 0x3f));
    add(0x80 | (code & 0x3f));
  }
}

icu::UnicodeString casefold(const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  HEARTH_ASSERT(U_SUCCESS(status));
  icu::UnicodeString folded = normalizer->normalize(text, status);
  HEARTH_ASSERT(U_SUCCESS(status));
  return folded;
}

// Folding leaves an i without a dot as it is and the dotted capital as i with a dot above. What is
// written over the bare i then may compose with it.
icu::UnicodeString with_one_i(const icu::UnicodeString& folded) {
  if (folded.indexOf(dotless_i) < 0 && folded.indexOf(dot_above) < 0) return folded;
  icu::UnicodeString out;
  for (std::int32_t i = 0; i < folded.length(); ++i) {
    const char16_t c = folded.charAt(i) == dotless_i ? u'i' : folded.charAt(i);
    if (c != dot_above || out.isEmpty() || out.charAt(out.length() - 1) != u'i') out.append(c);
  }
  return casefold(out);
}

}  // namespace

std::string detail::normalise_unicode(std::string_view text) {
  const icu::UnicodeString folded = with_one_i(casefold(icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())))));

  std::string out;
  out.reserve(text.size() + 2);
  out.push_back(' ');
  Kind before = Kind::separator;
  for (std::int32_t i = 0; i < folded.length();) {
    const UChar32 c = folded.char32At(i);
    i += U16_LENGTH(c);
    const Kind kind = kind_of(c);
    if (kind == Kind::separator || (kind == Kind::continuing && before == Kind::separator)) {
      if (out.back() != ' ') out.push_back(' ');
      before = Kind::separator;
      continue;
    }
    if (kind != Kind::continuing) {
      const bool joins = kind == before && kind != Kind::alone;
      if (!joins && out.back() != ' ') out.push_back(' ');
      before = kind;
    }
    append_utf8(out, c);
  }
  if (out.back() != ' ') out.push_back(' ');
  return out;
}

std::string normalise(std::string_view text) {
  std::string out;
  out.reserve(std::min(text.size(), text_bytes_max) + 2);
  feed_normalised(text, [&out](char c) { out.push_back(c); });
  return out;
}

std::vector<std::string_view> words_of(std::string_view normalised) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  while (begin < normalised.size()) {
    const std::size_t end = std::min(normalised.find(' ', begin), normalised.size());
    if (end > begin) words.push_back(normalised.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string hashed_words(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::string normalised = normalise(text);
  std::string out;
  for (const std::string_view word : words_of(normalised)) {
    if (!out.empty()) out.push_back(' ');
    const std::uint64_t hash = fnv1a(word);
    const std::uint64_t folded = hash ^ (hash >> 32);
    for (int shift = 28; shift >= 0; shift -= 4) out.push_back(digits[(folded >> shift) & 15U]);
  }
  return out;
}

}  // namespace hearth
