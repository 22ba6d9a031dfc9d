// Structs to bytes and back, by one list of fields a struct.
//
//   struct Point { int x; std::vector<int> tags; template <class A> void fields(A& a) { a(x, tags);
//   } };
//
// Layout     unsigned integers as LEB128, signed ones zigzag, doubles as 8 bytes little endian,
//            bools as one byte, enums as one byte below limit_of(E{}), strings, vectors, maps and
//            sets with their size before them, optionals and variants with a tag before them.
// Contract   Writer never fails. Reader is total: any bytes give either a value or ok() == false,
//            it never reads past the end, and it allocates no more than a small multiple of its
//            input.
// Exactness  equal values give equal bytes on every machine (containers are ordered).
// Threads    thread-compatible.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/units.h"

namespace hearth {

namespace detail {
template <class T, template <class...> class Of>
inline constexpr bool is_of = false;
template <template <class...> class Of, class... A>
inline constexpr bool is_of<Of<A...>, Of> = true;
template <class T>
inline constexpr bool is_id = false;
template <class Tag, class V>
inline constexpr bool is_id<Id<Tag, V>> = true;
template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t n>
inline constexpr bool is_array<std::array<T, n>> = true;
}  // namespace detail

class Writer {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }
  void clear() { bytes_.clear(); }

  void raw(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

 private:
  void byte(std::uint64_t value) { bytes_.push_back(static_cast<std::byte>(value & 0xff)); }
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      byte(value | 0x80);
      value >>= 7;
    }
    byte(value);
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
      byte(static_cast<std::uint64_t>(value));
    } else if constexpr (std::unsigned_integral<T>) {
      number(value);
    } else if constexpr (std::signed_integral<T>) {
      const auto wide = static_cast<std::int64_t>(value);
      number((static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63));
    } else if constexpr (std::floating_point<T>) {
      auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(value));
      for (int i = 0; i < 8; ++i, bits >>= 8) byte(bits);
    } else if constexpr (std::is_same_v<T, Duration>) {
      put(value.count());
    } else if constexpr (std::is_same_v<T, Instant>) {
      put(value.ns);
    } else if constexpr (std::is_same_v<T, Bytes>) {
      put(value.count);
    } else if constexpr (detail::is_id<T>) {
      put(value.value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      number(value.size());
      raw(std::as_bytes(std::span{value}));
    } else if constexpr (detail::is_of<T, std::optional>) {
      byte(value.has_value() ? 1 : 0);
      if (value) put(*value);
    } else if constexpr (detail::is_of<T, std::variant>) {
      byte(value.index());
      std::visit([this](const auto& held) { this->put(held); }, value);
    } else if constexpr (detail::is_of<T, std::pair>) {
      put(value.first);
      put(value.second);
    } else if constexpr (detail::is_array<T>) {
      for (const auto& element : value) put(element);
    } else if constexpr (requires { value.size(), value.begin(); }) {
      number(value.size());
      for (const auto& element : value) {
        if constexpr (std::is_same_v<T, std::vector<bool>>)
          put(static_cast<bool>(element));
        else
          put(element);
      }
    } else {
      // fields() lists members for reading and writing alike; writing changes none of them.
      const_cast<T&>(value).fields(*this);
    }
  }

  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }

  // Everything read so far was there and in range.
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  void refuse() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::uint8_t byte() {
    if (rest_.empty()) {
      refuse();
      return 0;
    }
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t part = byte();
      value |= (part & 0x7f) << shift;
      if (part < 0x80) {
        if (shift == 63 && part > 1) refuse();
        return ok_ ? value : 0;
      }
    }
    refuse();
    return 0;
  }
  // Every element takes at least one byte, so a size above what is left is a lie.
  std::size_t size() {
    const std::uint64_t value = number();
    if (value > rest_.size()) {
      refuse();
      return 0;
    }
    return static_cast<std::size_t>(value);
  }

  template <class T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      const std::uint8_t raw = byte();
      if (raw > 1) refuse();
      value = raw == 1;
    } else if constexpr (std::is_enum_v<T>) {
      const std::uint8_t raw = byte();
      if (raw >= limit_of(T{})) refuse();
      value = ok_ ? static_cast<T>(raw) : T{};
    } else if constexpr (std::unsigned_integral<T>) {
      const std::uint64_t wide = number();
      if (wide > std::numeric_limits<T>::max()) refuse();
      value = ok_ ? static_cast<T>(wide) : T{};
    } else if constexpr (std::signed_integral<T>) {
      const std::uint64_t wide = number();
      const auto plain = static_cast<std::int64_t>((wide >> 1) ^ (~(wide & 1) + 1));
      if (plain > std::numeric_limits<T>::max() || plain < std::numeric_limits<T>::min()) refuse();
      value = ok_ ? static_cast<T>(plain) : T{};
    } else if constexpr (std::floating_point<T>) {
      std::uint64_t bits = 0;
      for (unsigned i = 0; i < 8; ++i) bits |= static_cast<std::uint64_t>(byte()) << (8 * i);
      value = static_cast<T>(std::bit_cast<double>(bits));
    } else if constexpr (std::is_same_v<T, Duration>) {
      std::int64_t count = 0;
      get(count);
      value = Duration{count};
    } else if constexpr (std::is_same_v<T, Instant>) {
      get(value.ns);
    } else if constexpr (std::is_same_v<T, Bytes>) {
      get(value.count);
      if (value > Bytes::unlimited()) refuse();
    } else if constexpr (detail::is_id<T>) {
      get(value.value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      const std::size_t length = size();
      value.assign(reinterpret_cast<const char*>(rest_.data()), length);
      rest_ = rest_.subspan(length);
    } else if constexpr (detail::is_of<T, std::optional>) {
      bool has = false;
      get(has);
      value.reset();
      if (has && ok_) get(value.emplace());
    } else if constexpr (detail::is_of<T, std::variant>) {
      get_variant(value, std::make_index_sequence<std::variant_size_v<T>>{});
    } else if constexpr (detail::is_of<T, std::pair>) {
      get(value.first);
      get(value.second);
    } else if constexpr (detail::is_array<T>) {
      for (auto& element : value) get(element);
    } else if constexpr (detail::is_of<T, std::vector>) {
      get_vector(value);
    } else if constexpr (detail::is_of<T, std::map> || detail::is_of<T, std::set>) {
      get_ordered(value);
    } else {
      value.fields(*this);
    }
  }

  template <class T>
  void get_vector(T& value) {
    const std::size_t length = size();
    value.clear();
    for (std::size_t i = 0; i < length && ok_; ++i) {
      typename T::value_type element{};
      get(element);
      value.push_back(std::move(element));
    }
  }

  template <class T>
  void get_ordered(T& value) {
    const std::size_t length = size();
    value.clear();
    for (std::size_t i = 0; i < length && ok_; ++i) {
      if constexpr (detail::is_of<T, std::map>) {
        std::pair<typename T::key_type, typename T::mapped_type> element{};
        get(element);
        value.insert(std::move(element));
      } else {
        typename T::key_type element{};
        get(element);
        value.insert(std::move(element));
      }
    }
  }

  template <class T, std::size_t... i>
  void get_variant(T& value, std::index_sequence<i...>) {
    const std::uint8_t tag = byte();
    if (!ok_ || tag >= sizeof...(i)) {
      refuse();
      return;
    }
    ((tag == i ? get(value.template emplace<i>()) : void()), ...);
  }

  std::span<const std::byte> rest_;
  bool ok_ = true;
};

}  // namespace hearth
