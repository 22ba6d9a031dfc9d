// The body of a request for a component: what is found in it while it arrives is what a reader of
// the whole would find, however it is cut.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "codec/member_scan.h"

namespace {

template <class Scanner>
void feed(Scanner& scanner, std::string_view text, std::size_t cut) {
  for (std::size_t at = 0; at < text.size(); at += cut) scanner.feed(text.substr(at, cut));
}

void check_json(std::string_view text, std::size_t cut) {
  hearth::JsonMembers whole({"model"});
  hearth::JsonMembers pieces({"model"});
  feed(whole, text, text.size() + 1);
  feed(pieces, text, cut);
  if (whole.is_bad() != pieces.is_bad() || whole.raw(0) != pieces.raw(0)) std::abort();
  const auto parsed = hearth::read_json(text);
  if (!parsed || !parsed->is_object()) return;
  const auto model = parsed->find("model");
  const bool is_short = text.size() < hearth::JsonMembers::value_bytes_max;
  if (!is_short) return;
  if (whole.is_bad() || !whole.is_done()) std::abort();
  if ((model != parsed->end()) != whole.raw(0).has_value()) std::abort();
  if (model == parsed->end() || !model->is_string()) return;
  if (whole.text(0) != model->get<std::string>()) std::abort();
}

void check_form(std::string_view text, std::size_t cut) {
  const std::size_t line = std::min(text.find('\n'), text.size());
  const auto boundary = hearth::MultipartFields::boundary_of(text.substr(0, line));
  if (!boundary) return;
  text.remove_prefix(std::min(line + 1, text.size()));
  hearth::MultipartFields whole(*boundary, {"model"});
  hearth::MultipartFields pieces(*boundary, {"model"});
  feed(whole, text, text.size() + 1);
  feed(pieces, text, cut);
  if (whole.is_done() != pieces.is_done()) std::abort();
  if (whole.is_done() && whole.text(0) != pieces.text(0)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t cut = 1 + data[0] % 16;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_json(text, cut);
  check_form(text, cut);
  return 0;
}
