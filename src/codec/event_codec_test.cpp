#include "codec/event_codec.h"

#include <gtest/gtest.h>

#include "base/archive.h"
#include "base/prng.h"

namespace hearth {
namespace {

Event command(std::uint64_t id) {
  event::CommandReceived received;
  received.request = RequestId{id};
  received.command = CommandId{id};
  received.session = SessionId{77};
  received.intents = {{ComponentId{3}, 0.75}, {ComponentId{9}, 0.5}};
  return {Instant{static_cast<std::int64_t>(id) * 1000}, received};
}

std::vector<std::byte> bytes_of(const Event& event) {
  Writer writer;
  writer(event);
  return writer.take();
}

std::vector<std::byte> journal_of(std::uint64_t count) {
  std::vector<std::byte> bytes;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const auto record = encode_record(i, 1'700'000'000'000, command(i));
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
  return bytes;
}

template <std::size_t... i>
std::vector<Event> one_of_each(std::index_sequence<i...>) {
  return {Event{Instant{i}, std::variant_alternative_t<i, Event::What>{}}...};
}

TEST(EventCodec, EveryKindOfEventComesBackAsItWas) {
  constexpr std::size_t kinds = std::variant_size_v<Event::What>;
  for (const Event& event : one_of_each(std::make_index_sequence<kinds>{})) {
    const DecodedRecords decoded = decode_records(encode_record(5, -3, event));
    ASSERT_EQ(decoded.records.size(), 1u) << event.what.index();
    EXPECT_EQ(decoded.records[0].sequence, 5u);
    EXPECT_EQ(decoded.records[0].unix_ms, -3);
    EXPECT_EQ(bytes_of(decoded.records[0].event), bytes_of(event)) << event.what.index();
  }
}

TEST(EventCodec, AWholeJournalIsNeitherTornNorCorrupt) {
  const auto bytes = journal_of(20);
  const DecodedRecords decoded = decode_records(bytes);
  EXPECT_EQ(decoded.records.size(), 20u);
  EXPECT_EQ(decoded.valid_bytes, bytes.size());
  EXPECT_FALSE(decoded.is_torn);
  EXPECT_FALSE(decoded.is_corrupt);
  EXPECT_TRUE(decode_records({}).records.empty());
}

TEST(EventCodec, EveryCutGivesTheRecordsBeforeItAndATornTail) {
  const auto bytes = journal_of(3);
  const std::size_t two = journal_of(2).size();
  for (std::size_t cut = two; cut < bytes.size(); ++cut) {
    const DecodedRecords decoded = decode_records(std::span{bytes}.first(cut));
    EXPECT_EQ(decoded.records.size(), 2u) << cut;
    EXPECT_EQ(decoded.valid_bytes, two) << cut;
    EXPECT_EQ(decoded.is_torn, cut > two) << cut;
    EXPECT_FALSE(decoded.is_corrupt) << cut;
  }
}

TEST(EventCodec, EveryFlippedBitInTheMiddleIsCorruptionAndNotATornTail) {
  const auto whole = journal_of(3);
  const std::size_t one = journal_of(1).size();
  const std::size_t two = journal_of(2).size();
  for (std::size_t i = one; i < two; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = whole;
      bytes[i] ^= static_cast<std::byte>(1 << bit);
      const DecodedRecords decoded = decode_records(bytes);
      ASSERT_EQ(decoded.records.size(), 1u) << i;
      EXPECT_EQ(decoded.valid_bytes, one) << i;
      EXPECT_TRUE(decoded.is_corrupt) << i;
      EXPECT_FALSE(decoded.is_torn) << i;
    }
  }
}

TEST(EventCodec, ZeroedSpaceBehindTheLastRecordIsATornTail) {
  auto bytes = journal_of(2);
  const std::size_t valid = bytes.size();
  bytes.resize(valid + 4096);
  const DecodedRecords decoded = decode_records(bytes);
  EXPECT_EQ(decoded.valid_bytes, valid);
  EXPECT_TRUE(decoded.is_torn);
}

TEST(EventCodec, RandomBytesGiveNoRecords) {
  Prng prng{1};
  for (int round = 0; round < 200; ++round) {
    std::vector<std::byte> bytes(prng.below(2000));
    for (std::byte& each : bytes) each = static_cast<std::byte>(prng.next());
    EXPECT_TRUE(decode_records(bytes).records.empty());
  }
}

}  // namespace
}  // namespace hearth
