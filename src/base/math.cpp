#include "base/math.h"

#include <bit>
#include <cstdint>
#include <limits>

namespace hearth {
namespace {

constexpr double ln2_high = 6.93147180369123816490e-01;
constexpr double ln2_low = 1.90821492927058770002e-10;

double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

}  // namespace

// Cody and Waite: x = k ln 2 + r with |r| <= ln 2 / 2, then the Taylor series of degree 13.
double exact_exp(double x) {
  if (x > 709.78) return std::numeric_limits<double>::infinity();
  if (x < -745.13) return 0.0;
  const double scaled = x * 1.44269504088896338700;
  const int k = static_cast<int>(scaled + (scaled < 0 ? -0.5 : 0.5));
  const double high = x - static_cast<double>(k) * ln2_high;
  const double r = high - static_cast<double>(k) * ln2_low;
  double sum = 1.0;
  for (int i = 13; i >= 1; --i) sum = 1.0 + sum * (r / static_cast<double>(i));
  if (k > 1000) return sum * power_of_two(1000) * power_of_two(k - 1000);
  if (k < -1000) return sum * power_of_two(-1000) * power_of_two(k + 1000);
  return sum * power_of_two(k);
}

// x = 2^k m with m in [sqrt(1/2), sqrt 2); log m = 2 atanh((m - 1) / (m + 1)).
double exact_log(double x) {
  int k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 0x1.0p54;
    k = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  k += static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffU) | 0x3ff0000000000000U);
  if (m > 1.41421356237309514547) {
    m *= 0.5;
    ++k;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double sum = 1.0 / 23.0;
  for (int i = 21; i >= 1; i -= 2) sum = 1.0 / static_cast<double>(i) + z * sum;
  const double log_m = 2.0 * s * sum;
  return static_cast<double>(k) * ln2_high + (static_cast<double>(k) * ln2_low + log_m);
}

}  // namespace hearth
