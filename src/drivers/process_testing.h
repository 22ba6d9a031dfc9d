// What the tests of the process driver have in common: a folder, a driver, and jobs of the test
// component. Only for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "drivers/process.h"

namespace hearth::testing {

using Arguments = std::vector<std::string>;

class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-process-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    driver_ = make_driver();
  }
  void TearDown() override {
    if (driver_) driver_->adopt(root_ + "/run");
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }
  static std::unique_ptr<Driver> make_driver() {
    return make_process_driver({.supervisor = {HEARTH_TEST_COMPONENT, "supervise"}});
  }
  LoadJob job(Arguments arguments = {"--listen", "${PORT}"},
              ReadyProbe ready = {ReadyProbe::Kind::http, "/health"}) {
    LoadJob made;
    made.launch.name = "comp";
    made.launch.argv = std::move(arguments);
    made.launch.argv.insert(made.launch.argv.begin(), HEARTH_TEST_COMPONENT);
    made.launch.ready = std::move(ready);
    made.work = WorkId{++works_};
    made.state_dir = root_ + "/state/comp";
    made.run_dir = root_ + "/run";
    made.log_path = root_ + "/logs/comp.log";
    made.timeout = 60s;
    return made;
  }
  Result<std::unique_ptr<Instance>> load(const LoadJob& what) { return driver_->load(what, {}); }

  std::string root_;
  std::unique_ptr<Driver> driver_;
  std::uint64_t works_ = 0;
};

}  // namespace hearth::testing
