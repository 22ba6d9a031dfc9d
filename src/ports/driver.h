// One kind of component: how it is brought up, measured and brought down.
//
// Contract   load() blocks until the component is ready (warmed), failed, or `stop` is asked for;
//            after a failure or a stop nothing of it runs any more. unload() blocks until every
//            process of it is gone and its memory is free. An Instance that exits by itself makes
//            exit_fd() readable; exit_detail() then says how. adopt() finds what an earlier
//            daemon left running. hibernate() freezes it and pages it out, and tells what ram it
//            still takes; on a failure, or when `stop` is asked for, it runs on as before. resume()
//            lets it go on, blocks until it is in order, and on a failure nothing of it runs any
//            more; unload() of what hibernates is as ever.
// Errors     Errc::failed, timed_out, io, not_found, and unavailable for what the machine cannot do
//            or was cancelled, with a detail that names the component and the mend ("ocr: port 8080
//            is taken by another program").
// Threads    load, unload, hibernate and resume run on worker threads, one at a time for an
//            Instance, and one hibernate() at a time for all. Meanwhile everything else of it may
//            be called from other threads, exit_detail() once it has ended.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/config.h"

namespace hearth {

// The four figures of a component's memory.
struct MemoryFigures {
  // With its swap and zram; while it hibernates what it takes of ram.
  Bytes anonymous{};
  Bytes file_exclusive{};
  Bytes file_shared{};
  Bytes device{};
  Bytes pss{};
  Bytes locked{};   // of the files: what the kernel may not take back
  Bytes unified{};  // of the machine's memory, taken through a device and in no other figure
  // What it takes of the memory that components share: nobody else can have it meanwhile.
  [[nodiscard]] Bytes held() const { return anonymous + locked + unified; }
  [[nodiscard]] Bytes would_free() const { return anonymous + file_exclusive + device + unified; }
};

// The most of each figure by itself.
struct MemoryPeaks {
  MemoryFigures figures;
  Bytes held{};
  Bytes would_free{};
  void see(const MemoryFigures& now);
};
inline void MemoryPeaks::see(const MemoryFigures& now) {
  figures.anonymous = std::max(figures.anonymous, now.anonymous);
  figures.file_exclusive = std::max(figures.file_exclusive, now.file_exclusive);
  figures.file_shared = std::max(figures.file_shared, now.file_shared);
  figures.device = std::max(figures.device, now.device);
  figures.pss = std::max(figures.pss, now.pss);
  figures.locked = std::max(figures.locked, now.locked);
  held = std::max(held, now.held());
  would_free = std::max(would_free, now.would_free());
}

class Instance {
 public:
  virtual ~Instance() = default;
  [[nodiscard]] virtual std::string endpoint() const = 0;  // "http://127.0.0.1:40123" or ""
  // All that answer for it, where there are several; the first is endpoint().
  [[nodiscard]] virtual std::vector<std::string> endpoints() const { return {endpoint()}; }
  [[nodiscard]] virtual int process() const = 0;     // its main process; 0: none
  [[nodiscard]] virtual int supervisor() const = 0;  // the process above it; 0: none
  // Above every process of it.
  [[nodiscard]] virtual std::vector<int> roots() const {
    const int above = supervisor() > 0 ? supervisor() : process();
    return above > 0 ? std::vector{above} : std::vector<int>{};
  }
  [[nodiscard]] virtual int exit_fd() const = 0;  // readable when it ended; -1: never
  [[nodiscard]] virtual std::string exit_detail() = 0;
  [[nodiscard]] virtual MemoryFigures measure() const = 0;
  virtual void unload() = 0;
  [[nodiscard]] virtual Result<Bytes> hibernate(const std::stop_token& /*stop*/) {
    return fail(Errc::unavailable, "it cannot hibernate");
  }
  [[nodiscard]] virtual Result<> resume(Duration /*timeout*/, std::stop_token /*stop*/) {
    return {};
  }
  // Its priority is another than it was loaded with. Blocks shortly.
  virtual void set_priority(Priority) {}
  // Nobody uses it, or somebody does again: idle, it may have less of the processor than others.
  // Blocks shortly.
  virtual void set_idle(bool /*is_idle*/) {}
  // Another component came or went, with which it may share pages of files.
  virtual void others_changed() {}
};

struct LoadJob {
  Launch launch;
  Priority priority = Priority::medium;
  WorkId work;            // written beside the running component, so that a new daemon knows it
  std::string state_dir;  // the component's own folder, made if missing
  std::string run_dir;    // the daemon's folder for sockets and records of what runs
  std::string log_path;
  Duration timeout{30s};
  Duration limit{0};  // as it is configured, for the message; 0: the timeout
};

struct Adopted {
  std::string name;
  WorkId work;
  std::unique_ptr<Instance> instance;
};

// A component that was loaded by somebody else.
struct Stranger {
  std::string name;
  bool is_new = true;  // not told of since it was last gone, taken over, or configured
};

// A server that runs by itself, whether a component of it is loaded or not.
struct OwnServer {
  std::string endpoint;  // as it is configured: its host may be a name; "" when there is none
  std::string model;     // what it calls the component
};

class Driver {
 public:
  virtual ~Driver() = default;
  [[nodiscard]] virtual std::string_view kind() const = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Instance>> load(const LoadJob& job,
                                                               std::stop_token stop) = 0;
  // Why none of its components can hibernate on this machine; a success: they can.
  [[nodiscard]] virtual Result<> can_hibernate() const {
    return fail(Errc::unavailable, "this kind of component does not hibernate");
  }
  // What is still running from before under run_dir and healthy; the rest is ended.
  [[nodiscard]] virtual std::vector<Adopted> adopt(const std::string& run_dir) = 0;
  // What is configured now, of every kind. A driver of servers that others use as well looks at
  // them now and then, and calls `appeared` with a component that was loaded there though nobody
  // asked for it here; again, now and then, as long as it is there and is not taken over. It is
  // called on a thread of the driver's, and not any more once observe() was called again.
  using Appeared = std::function<void(const Stranger& stranger)>;
  virtual void observe(const std::vector<Launch>&, Appeared) {}
  // Looks at nothing but the configuration. None of a component that is a program of ours.
  [[nodiscard]] virtual OwnServer server_of(const Launch&) const { return {}; }
};

}  // namespace hearth
