// Identities: small integers, each kind a type of its own.
//
// Contract   value 0 is "none" for every kind but ComponentId, PoolId and ResourceId, which are
//            indices into dense tables. Ids order by value; nothing is ever keyed by address.
// Threads    pure.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace hearth {

template <class Tag, class Value>
struct Id {
  Value value = 0;
  constexpr auto operator<=>(const Id&) const = default;
  constexpr explicit operator bool() const { return value != 0; }
};

using ComponentId = Id<struct ComponentTag, std::uint32_t>;  // index into the registry
using PoolId = Id<struct PoolTag, std::uint16_t>;            // 0 is "no pool"
using ResourceId = Id<struct ResourceTag, std::uint16_t>;    // 0 is ram
using WorkId = Id<struct WorkTag, std::uint64_t>;            // one load or unload under way
using RequestId = Id<struct RequestTag, std::uint64_t>;      // who waits for a reply
using CommandId = Id<struct CommandTag, std::uint64_t>;
using LeaseId = Id<struct LeaseTag, std::uint64_t>;
using SessionId = Id<struct SessionTag, std::uint64_t>;  // hash of the session's name

}  // namespace hearth

template <class Tag, class Value>
struct std::hash<hearth::Id<Tag, Value>> {
  std::size_t operator()(const hearth::Id<Tag, Value>& id) const noexcept {
    return std::hash<Value>{}(id.value);
  }
};
