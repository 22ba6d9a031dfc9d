// A request's body: any bytes give fields or an error of one line that names the key.
#include <cstdlib>

#include "codec/json.h"

namespace {

void expect_line(const hearth::Error& error) {
  if (error.detail.empty() || error.detail.find('\n') != std::string::npos) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto parsed = hearth::parse_json_object(text);
  if (parsed) {
    const auto again = hearth::parse_json_object(hearth::dump_json(*parsed));
    if (!again || hearth::dump_json(*again) != hearth::dump_json(*parsed)) std::abort();
  } else {
    expect_line(parsed.error());
  }
  auto fields = hearth::RequestFields::parse(text);
  if (!fields) return 0;
  (void)fields->required_text("text", 100);
  (void)fields->text("session");
  (void)fields->choice("wait", {"none", "ready"});
  (void)fields->milliseconds("timeout_ms");
  (void)fields->whole("count", -5, 5);
  (void)fields->boolean("preemptible");
  (void)fields->texts("components", 4);
  if (const auto done = fields->finish(); !done) expect_line(done.error());
  return 0;
}
