// What a component sends: any bytes give the same answer, or the same refusal, however they are
// cut; and what is passed on of it has one head.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/relay_head.h"
#include "net/http_head.h"

namespace {

struct Scanned {
  std::string payload;
  std::size_t consumed = 0;
  bool is_done = false;
  bool is_bad = false;
  bool operator==(const Scanned&) const = default;
};

Scanned scan(hearth::BodyFraming framing, std::string_view bytes, std::size_t cut) {
  hearth::BodyScanner scanner(framing);
  Scanned result;
  std::size_t arrived = 0;
  while (!scanner.is_done() && !scanner.is_bad()) {
    const std::string_view rest = bytes.substr(result.consumed, arrived - result.consumed);
    const auto piece = scanner.take(rest);
    if (piece.consumed > rest.size() || piece.payload.size() > piece.consumed) std::abort();
    result.payload += piece.payload;
    result.consumed += piece.consumed;
    if (piece.consumed > 0) continue;
    if (arrived == bytes.size()) break;
    arrived = std::min(bytes.size(), arrived + cut);
  }
  result.is_done = scanner.is_done();
  result.is_bad = scanner.is_bad();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t cut = 1 + data[0] % 32;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto head_end = hearth::head_size(bytes);
  if (!head_end) return 0;
  const auto head = hearth::parse_response_head(bytes.substr(0, *head_end));
  if (!head) return 0;
  bytes.remove_prefix(*head_end);
  const auto framing = hearth::framing_of(*head, (data[0] & 64) != 0);
  if (!framing) return 0;
  const Scanned whole = scan(*framing, bytes, bytes.size() + 1);
  if (whole != scan(*framing, bytes, cut)) std::abort();
  const std::string passed =
      hearth::response_head(*head, {.own_fields = "X-Hearth-State: warm\r\n", .framing = *framing});
  if (passed.find("\r\n\r\n") != passed.size() - 4) std::abort();
  const auto again = hearth::parse_response_head(passed);
  if (!again || again->status != head->status) std::abort();
  return 0;
}
