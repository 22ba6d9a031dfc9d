#include "codec/json.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

std::string error_of(std::string_view text) {
  const auto parsed = parse_json_object(text);
  return parsed ? "" : parsed.error().detail;
}

RequestFields fields_of(std::string_view body) { return RequestFields::parse(body).value(); }

TEST(StrictJson, TakesOneObjectAndKeepsItsValues) {
  const Json json =
      parse_json_object(R"({"a":[1,-2,{"b":null}],"c":{"d":"e","f":1.5},"g":true})").value();
  EXPECT_EQ(dump_json(json), R"({"a":[1,-2,{"b":null}],"c":{"d":"e","f":1.5},"g":true})");
}

TEST(StrictJson, RefusesWhatIsNotOneObject) {
  for (const char* bad : {"", "[]", "1", "\"x\"", "null", "{", "{}x", "{\"a\":}", "{'a':1}",
                          "{\"a\":1,}", "{\"a\":NaN}", "{\"a\":1e999}", "{} {}", "// c\n{}"}) {
    EXPECT_NE(error_of(bad), "") << bad;
  }
}

TEST(StrictJson, RefusesAKeyThatIsThereTwice) {
  EXPECT_NE(error_of(R"({"a":1,"b":2,"a":3})").find("`a`"), std::string::npos);
  EXPECT_NE(error_of(R"({"x":{"b":1,"b":1}})").find("`b`"), std::string::npos);
  EXPECT_EQ(error_of(R"({"x":{"b":1},"y":{"b":1}})"), "");
}

TEST(StrictJson, RefusesDeepNestingWithoutRecursion) {
  std::string deep = R"({"a":)" + std::string(1'000'000, '[');
  EXPECT_NE(error_of(deep).find("deeper"), std::string::npos);
  EXPECT_EQ(error_of(R"({"a":[[[[1]]]]})"), "");
  EXPECT_FALSE(parse_json_object(R"({"a":[[1]]})", 2));
  EXPECT_TRUE(parse_json_object(R"({"a":[1]})", 2));
}

TEST(StrictJson, RefusesInvalidUtf8AndDumpsItSafely) {
  EXPECT_NE(error_of("{\"a\":\"\xff\"}"), "");
  EXPECT_EQ(dump_json(Json{{"a", "\xff"}}), "{\"a\":\"\xef\xbf\xbd\"}");
}

TEST(ReadJson, TakesAnyValueKeepsTheOrderOfKeysAndIsNoneForOtherText) {
  EXPECT_EQ(dump_json(read_json(R"({"b":1,"a":[null]})").value()), R"({"b":1,"a":[null]})");
  EXPECT_EQ(dump_json(read_json(" 7 ").value()), "7");
  for (const char* bad : {"", "{", "{}x", "seven"}) EXPECT_FALSE(read_json(bad)) << bad;
}

TEST(RequestFields, GivesTypedValues) {
  auto fields = fields_of(
      R"({"text":"hi","timeout_ms":1500,"waits":false,"names":["a","b"],"wait":"none","n":7})");
  EXPECT_EQ(fields.required_text("text"), "hi");
  EXPECT_EQ(fields.milliseconds("timeout_ms"), Duration{1500ms});
  EXPECT_EQ(fields.boolean("waits"), false);
  EXPECT_EQ(fields.texts("names"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fields.choice("wait", {"none", "ready"}), "none");
  EXPECT_EQ(fields.whole("n", 0, 10), 7);
  EXPECT_EQ(fields.text("absent"), std::nullopt);
  EXPECT_TRUE(fields.finish());
}

TEST(RequestFields, NamesTheKeyAndWhatWasExpected) {
  auto fields = fields_of(R"({"timeout_ms":"soon"})");
  EXPECT_EQ(fields.milliseconds("timeout_ms"), std::nullopt);
  EXPECT_EQ(fields.finish().error().detail,
            "`timeout_ms`: expected a whole number of milliseconds, got \"soon\"");
}

TEST(RequestFields, RefusesNumbersOutOfRange) {
  for (const char* bad : {"-1", "1.5", "18446744073709551615", "99999999999"}) {
    auto fields = fields_of(std::string{R"({"timeout_ms":)"} + bad + "}");
    EXPECT_EQ(fields.milliseconds("timeout_ms"), std::nullopt) << bad;
    EXPECT_FALSE(fields.finish()) << bad;
    auto others = fields_of(std::string{R"({"n":)"} + bad + "}");
    EXPECT_EQ(others.whole("n", 0, 100), std::nullopt) << bad;
    EXPECT_EQ(others.finish().error().code, Errc::invalid) << bad;
  }
}

TEST(RequestFields, RefusesUnknownKeysWithANearOne) {
  auto fields = fields_of(R"({"text":"hi","sesion":"x"})");
  (void)fields.required_text("text");
  (void)fields.text("session");
  EXPECT_EQ(fields.finish().error().detail, "unknown key `sesion`: did you mean `session`?");
}

TEST(RequestFields, SaysWhatIsMissingAndKeepsTheFirstError) {
  auto fields = fields_of("{}");
  EXPECT_EQ(fields.required_text("text"), "");
  fields.refuse("other", "later");
  EXPECT_EQ(fields.finish().error().detail, "`text`: is missing");
}

TEST(RequestFields, BytesThatAreNoTextAreNamedWithTheirPlace) {
  EXPECT_EQ(RequestFields::parse("{\"text\":\"\xff\"}").error().detail,
            "body: not UTF-8 at byte 10: send UTF-8");
  EXPECT_EQ(RequestFields::parse("\xc3(").error().detail, "body: not UTF-8 at byte 1: send UTF-8");
}

TEST(RequestFields, AnEmptyBodyIsAnEmptyObject) {
  EXPECT_TRUE(fields_of(" \r\n").finish());
  EXPECT_FALSE(RequestFields::parse("nonsense"));
}

TEST(RequestFields, RefusesTooLongTextsAndLists) {
  auto fields = fields_of(R"({"a":"12345","b":["x","y"],"c":[1]})");
  EXPECT_EQ(fields.text("a", 4), std::nullopt);
  EXPECT_EQ(fields.texts("b", 1), std::nullopt);
  EXPECT_EQ(fields.texts("c"), std::nullopt);
  EXPECT_FALSE(fields.finish());
}

}  // namespace
}  // namespace hearth
