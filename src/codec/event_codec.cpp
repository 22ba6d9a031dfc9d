#include "codec/event_codec.h"

#include <optional>

#include "base/archive.h"
#include "base/assert.h"
#include "base/hash.h"

namespace hearth {
namespace {

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<std::uint64_t>(bytes[i]);
  }
  return value;
}

void put_little_endian(std::vector<std::byte>& bytes, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i, value >>= 8) {
    bytes.push_back(static_cast<std::byte>(value & 0xff));
  }
}

std::uint64_t checksum(std::span<const std::byte> payload) {
  Digest digest;
  digest.add(std::uint64_t{payload.size()});
  digest.add(payload);
  return digest.value();
}

// The payload of the record at the front, when it is whole. `looked_at` grows by what was hashed.
std::optional<std::span<const std::byte>> take_payload(std::span<const std::byte> bytes,
                                                       std::size_t& looked_at) {
  if (bytes.size() < record_header_bytes) return std::nullopt;
  const std::uint64_t length = little_endian(bytes.first(4));
  if (length == 0 || length > record_bytes_max) return std::nullopt;
  if (length > bytes.size() - record_header_bytes) return std::nullopt;
  const auto payload = bytes.subspan(record_header_bytes, static_cast<std::size_t>(length));
  looked_at += payload.size();
  if (checksum(payload) != little_endian(bytes.subspan(4, 8))) return std::nullopt;
  return payload;
}

bool has_record_later(std::span<const std::byte> bytes) {
  const std::size_t looked_at_max = bytes.size() * 16 + 4096;
  std::size_t looked_at = 0;
  for (std::size_t i = 1; i + record_header_bytes < bytes.size(); ++i) {
    if (take_payload(bytes.subspan(i), looked_at)) return true;
    if (looked_at > looked_at_max) return true;
  }
  return false;
}

}  // namespace

std::vector<std::byte> encode_record(std::uint64_t sequence, std::int64_t unix_ms,
                                     const Event& event) {
  Writer writer;
  writer(sequence, unix_ms, event);
  const std::span<const std::byte> payload = writer.bytes();
  HEARTH_ASSERT(payload.size() <= record_bytes_max);
  std::vector<std::byte> record;
  record.reserve(record_header_bytes + payload.size());
  put_little_endian(record, payload.size(), 4);
  put_little_endian(record, checksum(payload), 8);
  record.insert(record.end(), payload.begin(), payload.end());
  return record;
}

DecodedRecords decode_records(std::span<const std::byte> bytes) {
  DecodedRecords decoded;
  std::size_t looked_at = 0;
  while (decoded.valid_bytes < bytes.size()) {
    const auto rest = bytes.subspan(decoded.valid_bytes);
    const auto payload = take_payload(rest, looked_at);
    if (!payload) {
      decoded.is_corrupt = has_record_later(rest);
      decoded.is_torn = !decoded.is_corrupt;
      break;
    }
    JournalRecord record;
    Reader reader{*payload};
    reader(record.sequence, record.unix_ms, record.event);
    if (!reader.ok() || !reader.at_end()) {
      decoded.is_corrupt = true;
      break;
    }
    decoded.records.push_back(std::move(record));
    decoded.valid_bytes += record_header_bytes + payload->size();
  }
  return decoded;
}

}  // namespace hearth
