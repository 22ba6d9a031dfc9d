#include "codec/member_scan.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

JsonMembers scan(std::string_view text, std::size_t cut = 1'000'000) {
  JsonMembers members({"model", "stream"});
  for (std::size_t at = 0; at < text.size(); at += cut) members.feed(text.substr(at, cut));
  return members;
}

MultipartFields scan_form(std::string_view text, std::size_t cut = 1'000'000) {
  MultipartFields fields("xyz", {"model", "language"});
  for (std::size_t at = 0; at < text.size(); at += cut) fields.feed(text.substr(at, cut));
  return fields;
}

TEST(JsonMembers, AreFoundWhereverTheyStand) {
  for (const char* text : {
           R"({"model":"llama","messages":[]})",
           R"({"messages":[{"model":"no"}],"x":{"model":"no"},"model" : "llama"})",
           R"( { "a" : "\"model\":\"no\"" , "model" : "llama" } )",
           R"({"\u006dodel":"ll\u0061ma"})",
           R"({"model":"first","model":"llama"})",
       }) {
    const JsonMembers members = scan(text);
    EXPECT_TRUE(members.is_done()) << text;
    EXPECT_EQ(members.text(0), "llama") << text;
  }
}

TEST(JsonMembers, AreFoundBeforeTheBodyIsWhole) {
  JsonMembers members = scan(R"({"stream":true,"model":"llama","messages":[{"con)");
  EXPECT_EQ(members.text(0), "llama");
  EXPECT_EQ(members.raw(1), "true");
  EXPECT_FALSE(members.is_done());
  members.feed(R"(tent":"model"}]})");
  EXPECT_TRUE(members.is_done());
}

TEST(JsonMembers, AreTheSameHoweverTheBytesAreCut) {
  const std::string_view text =
      R"({"a":[{"b":"]}\\"},1],"c":-1.5e3,"model":"a\"b\\","stream":false,"z":null})";
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    const JsonMembers members = scan(text, cut);
    EXPECT_EQ(members.text(0), "a\"b\\") << cut;
    EXPECT_EQ(members.raw(1), "false") << cut;
    EXPECT_TRUE(members.is_done()) << cut;
  }
}

TEST(JsonMembers, WhatIsNoTextIsRawOnly) {
  EXPECT_EQ(scan(R"({"model":12})").raw(0), "12");
  EXPECT_EQ(scan(R"({"model":12})").text(0), std::nullopt);
  EXPECT_EQ(scan(R"({"model":["a"]})").raw(0), "[");
  EXPECT_EQ(scan(R"({"model":"\ud800"})").text(0), std::nullopt);
  EXPECT_EQ(scan(R"({"models":"a"})").raw(0), std::nullopt);
}

TEST(JsonMembers, WhatIsNoObjectIsBad) {
  for (const char* text : {"[1]", "model=llama", R"({model:"a"})", R"({"a" "b"})", R"({"a":,})",
                           R"({"a":1 "b":2})", R"({,"a":1})"}) {
    EXPECT_TRUE(scan(text).is_bad()) << text;
    EXPECT_FALSE(scan(text).what().empty()) << text;
  }
  EXPECT_TRUE(scan("{\"model\":\"" + std::string(5000, 'x') + "\"}").is_bad());
  EXPECT_TRUE(scan("{\"a\":" + std::string(5000, '[')).is_bad());
}

TEST(JsonMembers, AModelBehindAGreatBodyIsFound) {
  const std::string text = "{\"input\":\"" + std::string(10'000'000, 'x') + "\",\"model\":\"m\"}";
  EXPECT_EQ(scan(text, 65536).text(0), "m");
}

constexpr std::string_view form =
    "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.wav\"\r\n"
    "Content-Type: audio/wav\r\n\r\n\r\n--xy\r\n--xzy RIFF\r\n"
    "--xyz\r\ncontent-disposition:form-data; filename*=x; name=model\r\n\r\nwhisper\r\n"
    "--xyz \r\nContent-Disposition: form-data; name=\"language\"\r\n\r\n\r\n--xyz--\r\nepilogue";

TEST(MultipartFields, AreFoundHoweverTheBytesAreCut) {
  for (std::size_t cut = 1; cut < form.size(); ++cut) {
    const MultipartFields fields = scan_form(form, cut);
    EXPECT_EQ(fields.text(0), "whisper") << cut;
    EXPECT_EQ(fields.text(1), "") << cut;
    EXPECT_TRUE(fields.is_done()) << cut;
  }
}

TEST(MultipartFields, ABoundaryIsReadFromTheContentType) {
  const auto boundary = [](std::string_view type) { return MultipartFields::boundary_of(type); };
  EXPECT_EQ(boundary("multipart/form-data; boundary=xyz"), "xyz");
  EXPECT_EQ(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b;c\""), "a b;c");
  EXPECT_EQ(boundary("multipart/form-data"), std::nullopt);
  EXPECT_EQ(boundary("multipart/form-data; boundary="), std::nullopt);
  EXPECT_EQ(boundary("multipart/mixed; boundary=xyz"), std::nullopt);
  EXPECT_EQ(boundary("multipart/form-data; boundary=" + std::string(71, 'x')), std::nullopt);
}

TEST(MultipartFields, EndlessHeadersAndFieldsAreBad) {
  EXPECT_TRUE(scan_form("--xyz\r\n" + std::string(9000, 'x')).is_bad());
  EXPECT_TRUE(scan_form("--xyz\r\nContent-Disposition: form-data; name=model\r\n\r\n" +
                        std::string(5000, 'x'))
                  .is_bad());
  EXPECT_TRUE(scan_form("--xyzabc\r\n\r\n").is_bad());
}

}  // namespace
}  // namespace hearth
