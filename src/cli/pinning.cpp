#include "cli/pinning.h"

#include <memory>

#include "cli/console.h"

namespace hearth {

CommandRun declare_pinning(Arguments& arguments, std::string_view verb) {
  auto names = std::make_unique<std::vector<std::string>>();
  arguments.list(*names,
                 {.name = "names", .help = "Which", .type = "COMPONENT", .is_required = true});
  return [names = std::move(names), verb = std::string{verb}](Console& console) -> Result<int> {
    Link& link = *HEARTH_TRY(console.link());
    HEARTH_TRY(check_components(link, *names));
    OrderedJson answers = OrderedJson::array();
    for (const std::string& name : *names) {
      const std::string path = "/v1/components/" + url_escape(name);
      const OrderedJson answer = HEARTH_TRY(link.post(path + "/" + verb, OrderedJson::object()));
      answers.push_back(answer);
      if (console.is_json()) continue;
      console.out() << printable(text_of(answer, "name")) << ": ";
      if (!flag_of(answer, "pinned")) {
        console.out() << "not pinned\n";
        continue;
      }
      const OrderedJson row = HEARTH_TRY(link.get(path));
      const bool is_ready = text_of(row, "state") == "ready";
      console.out() << (is_ready ? "pinned\n" : "pinned, not loaded yet\n");
    }
    if (console.is_json()) console.print(answers);
    return 0;
  };
}

}  // namespace hearth
