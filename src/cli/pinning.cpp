#include "cli/pinning.h"

#include <memory>

#include "cli/console.h"

namespace hearth {

CommandRun declare_pinning(CLI::App& app, std::string_view verb) {
  auto names = std::make_unique<std::vector<std::string>>();
  app.add_option("names", *names, "Which")->required()->type_name("COMPONENT");
  return [names = std::move(names), verb = std::string{verb}](Console& console) -> Result<int> {
    Link& link = *HEARTH_TRY(console.link());
    OrderedJson answers = OrderedJson::array();
    for (const std::string& name : *names) {
      const OrderedJson answer = HEARTH_TRY(
          link.post("/v1/components/" + url_escape(name) + "/" + verb, OrderedJson::object()));
      answers.push_back(answer);
      if (console.is_json()) continue;
      console.out() << printable(text_of(answer, "name")) << ": "
                    << (flag_of(answer, "pinned") ? "pinned" : "not pinned") << "\n";
    }
    if (console.is_json()) console.print(answers);
    return 0;
  };
}

}  // namespace hearth
