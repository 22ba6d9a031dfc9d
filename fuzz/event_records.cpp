// The journal: any bytes give records and a verdict; what was read is written again as the same
// bytes' meaning, and a valid record behind garbage is never called a torn tail.
#include <algorithm>
#include <cstdlib>

#include "base/archive.h"
#include "codec/event_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  const hearth::DecodedRecords decoded = hearth::decode_records(bytes);
  const bool is_whole = decoded.valid_bytes == size;
  if (decoded.valid_bytes > size || (decoded.is_torn && decoded.is_corrupt)) std::abort();
  if (is_whole == (decoded.is_torn || decoded.is_corrupt)) std::abort();

  // The bytes as the event of a record that is whole: the checksum would keep a fuzzer out.
  hearth::Event event;
  hearth::Reader reader{bytes};
  reader(event);
  if (!reader.ok()) return 0;
  const auto record = hearth::encode_record(size, -1, event);
  const hearth::DecodedRecords one = hearth::decode_records(record);
  if (one.records.size() != 1 || one.valid_bytes != record.size()) std::abort();
  if (hearth::encode_record(size, -1, one.records[0].event) != record) std::abort();

  std::vector<std::byte> damaged{bytes.begin(), bytes.end()};
  damaged.insert(damaged.end(), record.begin(), record.end());
  const hearth::DecodedRecords second = hearth::decode_records(damaged);
  const bool is_read = second.valid_bytes == damaged.size();
  if (!is_read && !second.is_corrupt) std::abort();
  return 0;
}
