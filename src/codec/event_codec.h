// Events as the journal stores them.
//
// Layout     a record: length (u32, little endian, of the payload), checksum (u64, over length and
//            payload), payload = sequence, unix_ms, event by base/archive.h.
// Contract   encode_record() never fails. decode_records() is total: it reads records until one is
//            not whole. What follows is a torn tail when no valid record comes after it (a write
//            that was cut off), and corruption when one does, or when a record with a right
//            checksum does not hold an event.
// Cost       linear; memory a constant multiple of the input. The search behind a damaged record
//            looks at 16 times the input at most, and then calls it corrupt.
// Threads    pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/event.h"

namespace hearth {

struct JournalRecord {
  std::uint64_t sequence = 0;
  std::int64_t unix_ms = 0;
  Event event;
};

struct DecodedRecords {
  std::vector<JournalRecord> records;
  std::size_t valid_bytes = 0;  // where the first bad byte is, or the size of the input
  bool is_torn = false;
  bool is_corrupt = false;
};

inline constexpr std::size_t record_header_bytes = 12;
inline constexpr std::size_t record_bytes_max = 64u << 20;

[[nodiscard]] std::vector<std::byte> encode_record(std::uint64_t sequence, std::int64_t unix_ms,
                                                   const Event& event);
[[nodiscard]] DecodedRecords decode_records(std::span<const std::byte> bytes);

}  // namespace hearth
