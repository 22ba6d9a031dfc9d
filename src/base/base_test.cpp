#include <gtest/gtest.h>

#include <cmath>

#include "base/archive.h"
#include "base/hash.h"
#include "base/math.h"
#include "base/prng.h"
#include "base/result.h"

namespace hearth {
namespace {

enum class Colour : unsigned char { red, green };
constexpr unsigned limit_of(Colour) { return 2; }

struct Sample {
  std::uint64_t count = 0;
  std::int64_t offset = 0;
  double share = 0;
  bool is_set = false;
  Colour colour = Colour::red;
  std::string name;
  std::vector<std::uint32_t> numbers;
  std::map<std::uint64_t, std::string> names;
  std::optional<Instant> at;
  std::variant<std::uint32_t, std::string> either;
  template <class A>
  void fields(A& a) {
    a(count, offset, share, is_set, colour, name, numbers, names, at, either);
  }
};

Sample full_sample() {
  return {.count = 1'000'000'007,
          .offset = -5,
          .share = 0.25,
          .is_set = true,
          .colour = Colour::green,
          .name = "asr",
          .numbers = {1, 2, 300},
          .names = {{7, "seven"}},
          .at = Instant{99},
          .either = std::string{"text"}};
}

TEST(Archive, ReadsBackWhatWasWritten) {
  Writer writer;
  writer(full_sample());
  Reader reader{writer.bytes()};
  Sample back;
  reader(back);
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
  Writer again;
  again(back);
  EXPECT_TRUE(std::ranges::equal(writer.bytes(), again.bytes()));
  EXPECT_EQ(back.offset, -5);
  EXPECT_EQ(back.names.at(7), "seven");
  EXPECT_EQ(std::get<std::string>(back.either), "text");
}

TEST(Archive, EveryTruncationIsRefused) {
  Writer writer;
  writer(full_sample());
  for (std::size_t length = 0; length < writer.bytes().size(); ++length) {
    Reader reader{writer.bytes().first(length)};
    Sample back;
    reader(back);
    EXPECT_FALSE(reader.ok()) << length;
  }
}

TEST(Archive, ASizeLargerThanTheInputIsRefusedWithoutAllocating) {
  const std::array<std::byte, 3> bytes{std::byte{0xff}, std::byte{0xff}, std::byte{0x7f}};
  Reader reader{bytes};
  std::vector<std::uint32_t> numbers;
  reader(numbers);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(numbers.capacity(), 0U);
}

TEST(Math, ExpAndLogAgreeWithTheLibraryWithinAFewUlps) {
  for (double x = -700; x < 700; x += 0.37) {
    EXPECT_NEAR(exact_exp(x) / std::exp(x), 1.0, 2e-15) << x;
  }
  for (double x = 1e-300; x < 1e300; x *= 3.7) {
    EXPECT_NEAR(exact_log(x), std::log(x), std::abs(std::log(x)) * 1e-15 + 1e-15) << x;
  }
}

TEST(Math, ExpOfNothingAndOfTooMuchAreOneZeroAndInfinity) {
  EXPECT_EQ(exact_exp(0), 1.0);
  EXPECT_EQ(exact_exp(-1000), 0.0);
  EXPECT_TRUE(std::isinf(exact_exp(1000)));
  EXPECT_EQ(exact_log(1), 0.0);
}

TEST(Prng, EqualSeedsGiveEqualDrawsAndOthersDiffer) {
  Prng a{1};
  Prng b{1};
  Prng c{2};
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
  EXPECT_EQ(Prng{42}.next(), 1546998764402558742U);
}

TEST(Prng, BelowStaysInsideAndReachesBothEnds) {
  Prng prng{3};
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(prng.below(4));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3}));
}

TEST(Units, ADeadlineTooFarAwayIsNever) {
  EXPECT_EQ(Instant{5} + Duration::max(), Instant::never());
  EXPECT_EQ(less(1_MiB, 2_MiB), Bytes{0});
}

TEST(Result, TryReturnsTheErrorOfTheCallInside) {
  const auto inner = [](bool works) -> Result<int> {
    if (!works) return fail(Errc::io, "disk: unplugged");
    return 4;
  };
  const auto outer = [&](bool works) -> Result<int> { return HEARTH_TRY(inner(works)) + 1; };
  EXPECT_EQ(outer(true).value(), 5);
  EXPECT_EQ(outer(false).error().code, Errc::io);
}

TEST(Hash, DigestDependsOnOrder) {
  Digest a;
  a.add(1);
  a.add(2);
  Digest b;
  b.add(2);
  b.add(1);
  EXPECT_NE(a.value(), b.value());
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325U);
}

}  // namespace
}  // namespace hearth
