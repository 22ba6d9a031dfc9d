// Whatever a server that is not ours says of its models, and whatever memory.stat holds.
#include <cstdint>
#include <string>
#include <string_view>

#include "drivers/model_server.h"
#include "drivers/unit.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* preset : {"ollama", "llama-server", "triton", "lemonade"}) {
    hearth::Launch launch;
    launch.name = "a";
    launch.server.preset = preset;
    const auto sight = hearth::read_status(hearth::resolve(launch), text, 2026);
    if (sight && sight->memory.device + sight->memory.anonymous < sight->memory.device) {
      __builtin_trap();
    }
  }
  (void)hearth::parse_memory_stat(text);
  return 0;
}
