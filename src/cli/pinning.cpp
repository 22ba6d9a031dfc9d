#include "cli/pinning.h"

#include <memory>

#include "cli/session.h"

namespace hearth {

CommandRun declare_pinning(CLI::App& app, std::string_view verb) {
  auto names = std::make_unique<std::vector<std::string>>();
  app.add_option("names", *names, "Which")->required()->type_name("COMPONENT");
  return [names = std::move(names), verb = std::string{verb}](Session& session) -> Result<int> {
    Link& link = *HEARTH_TRY(session.link());
    OrderedJson answers = OrderedJson::array();
    for (const std::string& name : *names) {
      const OrderedJson answer = HEARTH_TRY(
          link.post("/v1/components/" + url_escape(name) + "/" + verb, OrderedJson::object()));
      answers.push_back(answer);
      if (session.is_json()) continue;
      session.out() << printable(text_of(answer, "name")) << ": "
                    << (flag_of(answer, "pinned") ? "pinned" : "not pinned") << "\n";
    }
    if (session.is_json()) session.print(answers);
    return 0;
  };
}

}  // namespace hearth
