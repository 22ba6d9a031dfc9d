// The worlds of the laws, one a kind.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "drivers/driver_testing.h"
#include "drivers/files.h"
#include "drivers/probe.h"
#include "drivers/process.h"
#include "drivers/server.h"
#include "drivers/stand_in_ollama.h"
#include "drivers/unit.h"
#include "runtime/files.h"
#include "runtime/processes.h"

namespace hearth::testing {
namespace {

class ProcessWorld : public DriverWorld {
 public:
  explicit ProcessWorld(unsigned instances) : instances_(instances) {}
  std::unique_ptr<Driver> make_driver() override {
    return make_process_driver({.supervisor = {HEARTH_TEST_COMPONENT, "supervise"}});
  }
  LoadJob job(const std::string& root) override {
    mark_ = "HEARTH_RUN_DIR=" + root + "/run";
    LoadJob made;
    made.launch.name = "comp";
    made.launch.argv = {HEARTH_TEST_COMPONENT, "--allocate", "8", "--listen", "${PORT}"};
    made.launch.instances = instances_;
    made.launch.ready = {ReadyProbe::Kind::http, "/health"};
    return made;
  }
  void hang(LoadJob& job) override {
    job.launch.argv = {HEARTH_TEST_COMPONENT, "--ready-after", "600000", "--listen", "${PORT}"};
  }
  bool crash(Instance& instance) override { return ::kill(instance.process(), SIGKILL) == 0; }
  std::size_t running() override { return marked_processes(mark_).size(); }
  Bytes takes() const override { return Bytes{instances_ * (8_MiB).count}; }

 private:
  unsigned instances_;
  std::string mark_ = "HEARTH_RUN_DIR=none";
};

class OllamaWorld : public DriverWorld {
 public:
  std::unique_ptr<Driver> make_driver() override {
    return make_server_driver({.look_period = 20ms, .far_look_period = 50ms});
  }
  LoadJob job(const std::string&) override {
    ollama_.set_stuck(false);
    LoadJob made;
    made.launch.name = "comp";
    made.launch.kind = "http";
    made.launch.server.url = ollama_.url();
    made.launch.server.preset = "ollama";
    made.launch.server.model = "small";
    return made;
  }
  void hang(LoadJob&) override { ollama_.set_stuck(true); }
  bool crash(Instance&) override {
    ollama_.unload("small:latest");
    return true;
  }
  std::size_t running() override { return ollama_.loaded(); }
  Bytes takes() const override { return Bytes{StandInOllama::model_bytes}; }

 private:
  StandInOllama ollama_;
};

// Knows start, stop and show of one unit, which is the test component.
constexpr std::string_view systemctl_script = R"sh(#!/bin/sh
root=$HEARTH_STAND_IN
case $1 in
start)
  [ -e "$root/pid" ] && kill -0 "$(cat "$root/pid")" 2>/dev/null && exit 0
  read -r port < "$root/port"
  read -r flags < "$root/flags"
  "$root/component" $flags --listen "$port" >/dev/null 2>&1 </dev/null &
  echo $! > "$root/pid" ;;
stop)
  [ -e "$root/pid" ] || exit 0
  pid=$(cat "$root/pid")
  kill -9 "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status"; do :; done
  rm -f "$root/pid" ;;
show)
  if [ -e "$root/pid" ] && kill -0 "$(cat "$root/pid")" 2>/dev/null; then
    echo "MainPID=$(cat "$root/pid")"; echo ActiveState=active
  else
    echo MainPID=0; echo ActiveState=inactive
  fi ;;
*) echo "stand-in: $1 is not known" >&2; exit 1 ;;
esac
)sh";

class UnitWorld : public DriverWorld {
 public:
  UnitWorld() {
    std::string pattern = ::testing::TempDir() + "hearth-units-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    std::ofstream(folder_ + "/systemctl") << systemctl_script;
    (void)::chmod((folder_ + "/systemctl").c_str(), 0755);
    std::filesystem::create_symlink(HEARTH_TEST_COMPONENT, folder_ + "/component");
    path_before_ = std::getenv("PATH");
    (void)::setenv("PATH", (folder_ + ":" + path_before_).c_str(), 1);
    (void)::setenv("HEARTH_STAND_IN", folder_.c_str(), 1);
    port_ = free_port().value_or(0);
    std::ofstream(folder_ + "/port") << port_ << "\n";
  }
  ~UnitWorld() override {
    (void)::setenv("PATH", path_before_.c_str(), 1);
    (void)::unsetenv("HEARTH_STAND_IN");
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  std::unique_ptr<Driver> make_driver() override { return make_unit_driver(); }
  LoadJob job(const std::string&) override {
    std::ofstream(folder_ + "/flags") << "--allocate 8\n";
    LoadJob made;
    made.launch.name = "comp";
    made.launch.kind = "unit";
    made.launch.unit.unit = "comp.service";
    made.launch.port = port_;
    made.launch.ready = {ReadyProbe::Kind::http, "/health"};
    return made;
  }
  void hang(LoadJob&) override { std::ofstream(folder_ + "/flags") << "--ready-after 600000\n"; }
  bool crash(Instance& instance) override { return ::kill(instance.process(), SIGKILL) == 0; }
  std::size_t running() override {
    const std::string mark = "HEARTH_STAND_IN=" + folder_;
    std::size_t count = 0;
    for (const pid_t pid : marked_processes(mark)) {
      const auto name = read_file("/proc/" + std::to_string(pid) + "/comm");
      count += name && *name == "component\n" ? 1 : 0;
    }
    return count;
  }
  Bytes takes() const override { return 8_MiB; }

 private:
  std::string folder_;
  std::string path_before_;
  int port_ = 0;
};

class FilesWorld : public DriverWorld {
 public:
  std::unique_ptr<Driver> make_driver() override { return make_files_driver(); }
  LoadJob job(const std::string& root) override {
    path_ = root + "/weights";
    if (!std::filesystem::exists(path_)) {
      std::ofstream(path_, std::ios::binary) << std::string((4_MiB).count, 'w');
    }
    LoadJob made;
    made.launch.name = "comp";
    made.launch.kind = "files";
    made.launch.files = {path_};
    return made;
  }
  // Held open by this process.
  std::size_t running() override {
    std::size_t count = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
      const auto target = std::filesystem::read_symlink(entry.path(), error);
      count += !error && !path_.empty() && target.string() == path_ ? 1U : 0U;
    }
    return count;
  }
  Bytes takes() const override { return 4_MiB; }

 private:
  std::string path_;
};

}  // namespace

std::unique_ptr<DriverWorld> make_process_world() { return std::make_unique<ProcessWorld>(1U); }
std::unique_ptr<DriverWorld> make_several_processes_world() {
  return std::make_unique<ProcessWorld>(3U);
}
std::unique_ptr<DriverWorld> make_ollama_world() { return std::make_unique<OllamaWorld>(); }
std::unique_ptr<DriverWorld> make_unit_world() { return std::make_unique<UnitWorld>(); }
std::unique_ptr<DriverWorld> make_files_world() { return std::make_unique<FilesWorld>(); }

}  // namespace hearth::testing
