// How servers that are not ours are told to load and to unload, by their published interfaces.
//
// Contract   resolve() puts what the configuration says over what its preset says: address, model,
//            requests. A preset whose models expire by themselves says which member tells when.
// Threads    pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/config.h"

namespace hearth {

struct ServerRules {
  std::string url;
  std::string model;  // as the server spells it in its answers
  ServerRequest load;
  // Tried when the server refuses the first with 400, as Ollama does for models that only embed.
  ServerRequest load_otherwise;
  ServerRequest unload;
  ServerStatus status;
  std::string expiry;  // the member of an entry with the time at which the server unloads it
  std::string mend;    // for a model that the server does not know: "`ollama pull MODEL`"
};

[[nodiscard]] ServerRules resolve(const Launch& launch);

// ${MODEL} replaced: as a part of a path, and as a part of a JSON string.
[[nodiscard]] std::string path_for(const ServerRequest& request, std::string_view model);
[[nodiscard]] std::string body_for(const ServerRequest& request, std::string_view model);

}  // namespace hearth
