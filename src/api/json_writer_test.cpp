#include "api/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

#include "api/http.h"
#include "codec/json.h"

namespace hearth {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_text(out, text);
  return out;
}

TEST(JsonWriter, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(quoted("a\"b\\c\n\r\t\x01\x7f"), R"("a\"b\\c\n\r\t\u0001\u007f")");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonWriter, KeepsValidUtf8AndReplacesTheRest) {
  EXPECT_EQ(quoted("h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x94\xa5"),
            "\"h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x94\xa5\"");
  EXPECT_EQ(quoted("\xff"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(quoted("\xc3"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(quoted("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a surrogate
  EXPECT_EQ(quoted("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");                  // overlong
}

TEST(JsonWriter, EveryPairOfBytesGivesJsonThatAParserReads) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char bytes[] = {static_cast<char>(a), static_cast<char>(b)};
      JsonWriter json;
      json.open().field("k", std::string_view(bytes, 2)).close();
      ASSERT_TRUE(parse_json_object(json.view())) << a << " " << b;
    }
  }
}

TEST(JsonWriter, WritesNumbersInstantsAndIds) {
  JsonWriter json;
  json.open().field("a", 1).field("b", -2).field("c", 0.5).field("d", true);
  json.field("e", std::numeric_limits<double>::infinity());
  json.field("f", Duration{130'500'400}).field("g", 2s).field("h", 3_KiB);
  json.key("i").instant(1'769'860'800'123).key("j").instant(-1);
  json.id("k", 'c', 12).id("l", 'l', 0).text_or_null("m", "").close();
  EXPECT_EQ(json.view(), R"({"a":1,"b":-2,"c":0.5,"d":true,"e":0,"f":130.5,"g":2000,"h":3072,)"
                         R"("i":"2026-01-31T12:00:00.123Z","j":"1969-12-31T23:59:59.999Z",)"
                         R"("k":"c12","l":null,"m":null})");
}

TEST(JsonWriter, PutsCommasBetweenAndNowhereElse) {
  JsonWriter json;
  json.open().key("a").open_list().open().close().open().close().close_list();
  json.key("b").open().close().texts("c", std::vector<std::string>{"x", "y"}).close();
  EXPECT_EQ(json.view(), R"({"a":[{},{}],"b":{},"c":["x","y"]})");
}

TEST(Http, DatesAreWrittenAsTheStandardHasThem) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Http, QueryValuesAreDecoded) {
  EXPECT_EQ(query_value("a=1&b=x%20y&c", "b"), "x y");
  EXPECT_EQ(query_value("a=1&b=x%20y&c", "c"), "");
  EXPECT_EQ(query_value("a=1", "b"), std::nullopt);
  EXPECT_EQ(query_value("a=%2", "a"), std::nullopt);
  EXPECT_EQ(percent_decoded("%41%zz"), std::nullopt);
  EXPECT_EQ(percent_decoded("%41%5a"), "AZ");
}

}  // namespace
}  // namespace hearth
