#include "cli/doctor_text.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

const std::vector<Facility> three{
    {.name = "http",
     .need = FacilityNeed::needed,
     .state = FacilityState::broken,
     .missing = "127.0.0.1:7411 is taken by another program",
     .instead = "`hearth serve` does not start",
     .mend = {"or another `listen.http`"}},
    {.name = "control groups",
     .state = FacilityState::partly,
     .found = "version 2 with memory",
     .missing = "limits of cpus",
     .instead = "no limit",
     .mend = {"one", "two"}},
    {.name = "zram",
     .need = FacilityNeed::unused,
     .state = FacilityState::missing,
     .missing = "no device is set up",
     .instead = "idle memory is not compressed",
     .mend = {"sudo apt install zram-tools"}},
};

TEST(DoctorText, IsALineAFacilityWithWhatMendsItBelow) {
  EXPECT_EQ(doctor_text(three, {}),
            "http            broken   127.0.0.1:7411 is taken by another program\n"
            "                         instead: `hearth serve` does not start\n"
            "                         mend:    or another `listen.http`\n"
            "control groups  partly   version 2 with memory\n"
            "                         missing: limits of cpus\n"
            "                         instead: no limit\n"
            "                         mend:    one\n"
            "                         mend:    two\n"
            "zram            missing  no device is set up (this version does not use it)\n"
            "\n"
            "1 thing that is needed is broken; 1 other is not whole.\n"
            "Of what this version does not use, 1 thing is not there: --all says what would mend "
            "that.\n");
}

TEST(DoctorText, SaysWhatMendsTheUnusedWhenAllIsAskedFor) {
  const std::string text = doctor_text({three[2]}, {.is_all = true});
  EXPECT_EQ(text,
            "zram  missing  no device is set up (this version does not use it)\n"
            "               instead: idle memory is not compressed\n"
            "               mend:    sudo apt install zram-tools\n"
            "\n"
            "Nothing that is needed is broken.\n");
}

TEST(DoctorText, NeverHandsControlCharactersToTheTerminal) {
  Facility odd = three[0];
  odd.missing = "\x1b[2J";
  EXPECT_EQ(doctor_text({odd}, {}).find('\x1b'), std::string::npos);
}

TEST(DoctorJson, HasAllOfItInOneShape) {
  const OrderedJson json = doctor_json(three, "1.2.3");
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["healthy"], false);
  ASSERT_EQ(json["facilities"].size(), 3U);
  EXPECT_EQ(dump_json(json["facilities"][2]),
            R"({"name":"zram","need":"unused","state":"missing","found":"",)"
            R"("missing":"no device is set up","instead":"idle memory is not compressed",)"
            R"("mend":["sudo apt install zram-tools"]})");
}

}  // namespace
}  // namespace hearth
