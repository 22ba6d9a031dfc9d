#include "net/http_framing.h"

#include <gtest/gtest.h>

#include <string>

namespace hearth {
namespace {

constexpr BodyFraming chunked{.kind = BodyFraming::Kind::chunked};

struct Scanned {
  std::string payload;
  std::size_t consumed = 0;
  bool is_done = false;
  bool is_bad = false;
  bool operator==(const Scanned&) const = default;
};

// The bytes arrive `cut` at a time.
Scanned scan(BodyFraming framing, std::string_view bytes, std::size_t cut = 1'000'000) {
  BodyScanner scanner(framing);
  Scanned result;
  std::size_t arrived = 0;
  while (true) {
    const auto piece = scanner.take(bytes.substr(result.consumed, arrived - result.consumed));
    result.payload += piece.payload;
    result.consumed += piece.consumed;
    if (piece.consumed > 0) continue;
    if (scanner.is_done() || scanner.is_bad() || arrived == bytes.size()) break;
    arrived = std::min(bytes.size(), arrived + cut);
  }
  result.is_done = scanner.is_done();
  result.is_bad = scanner.is_bad();
  return result;
}

TEST(BodyScanner, ALengthEndsWhereItSays) {
  const BodyFraming framing{.kind = BodyFraming::Kind::length, .length = 5};
  EXPECT_EQ(scan(framing, "helloGET /"), (Scanned{"hello", 5, true, false}));
  EXPECT_EQ(scan(framing, "hel"), (Scanned{"hel", 3, false, false}));
  EXPECT_EQ(scan({.kind = BodyFraming::Kind::length, .length = 0}, "GET"),
            (Scanned{"", 0, true, false}));
}

TEST(BodyScanner, ChunksEndAfterTheirTrailers) {
  const std::string body =
      "5\r\nhello\r\n00A;name=\"v\"\r\n0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\n";
  const Scanned whole = scan(chunked, body + "GET /");
  EXPECT_EQ(whole, (Scanned{"hello0123456789", body.size(), true, false}));
}

TEST(BodyScanner, TheSameHoweverTheBytesAreCut) {
  const std::string good = "3\r\nabc\r\n1 \r\nx\r\n0\r\nT: 1\r\n\r\nrest";
  const std::string bad = "3\r\nabcd\r\n0\r\n\r\n";
  for (std::size_t cut = 1; cut < good.size(); ++cut) {
    EXPECT_EQ(scan(chunked, good, cut), scan(chunked, good)) << cut;
    EXPECT_EQ(scan(chunked, bad, cut), scan(chunked, bad)) << cut;
  }
}

TEST(BodyScanner, WhatCouldBeReadInTwoWaysIsBad) {
  for (const char* body : {
           "5\nhello\n0\n\n",          // line ends without CR
           "\r\n",                     // no size
           "-5\r\nhello\r\n",          // a sign
           "0x5\r\nhello\r\n",         // a prefix
           " 5\r\nhello\r\n",          // a blank before
           "5\r\nhelloX\r\n",          // longer than it said
           "5\rhello\r\n",             // CR alone
           "11111111111111111\r\n",    // 17 digits
           "5;a\nb\r\nhello\r\n",      // LF within an extension
           "0\r\nA: b\nC: d\r\n\r\n",  // LF within the trailers
           "0\r\n\rX",                 // CR without LF at the end
       }) {
    EXPECT_TRUE(scan(chunked, body).is_bad) << body;
  }
}

TEST(BodyScanner, EndlessLinesAreBad) {
  EXPECT_TRUE(scan(chunked, "1;" + std::string(5000, 'x')).is_bad);
  EXPECT_TRUE(scan(chunked, "0\r\n" + std::string(17000, 'x')).is_bad);
  std::string lines = "0\r\n";
  for (int i = 0; i < 9000; ++i) lines += "a:\r\n";
  EXPECT_TRUE(scan(chunked, lines).is_bad);
}

TEST(BodyScanner, SaysWhereAnotherChunkCouldStand) {
  BodyScanner scanner(chunked);
  EXPECT_TRUE(scanner.is_between_chunks());
  (void)scanner.take("2");
  EXPECT_FALSE(scanner.is_between_chunks());
  (void)scanner.take("\r\n");
  EXPECT_FALSE(scanner.is_between_chunks());
  (void)scanner.take("ab");
  (void)scanner.take("\r");
  EXPECT_FALSE(scanner.is_between_chunks());
  (void)scanner.take("\n");
  EXPECT_TRUE(scanner.is_between_chunks());
  (void)scanner.take("0\r\n");
  EXPECT_FALSE(scanner.is_between_chunks());
}

TEST(BodyScanner, UntilTheEndTakesAllAndMayEndAnywhere) {
  const BodyFraming framing{.kind = BodyFraming::Kind::until_end};
  EXPECT_EQ(scan(framing, "anything"), (Scanned{"anything", 8, false, false}));
  EXPECT_TRUE(BodyScanner(framing).may_end());
  EXPECT_FALSE(BodyScanner(chunked).may_end());
}

}  // namespace
}  // namespace hearth
