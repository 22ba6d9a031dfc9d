#include "drivers/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include "runtime/clock.h"
#include "runtime/files.h"

namespace hearth {
namespace {

// Small enough that a stop is seen soon on a slow disk, large enough that reading ahead pays.
constexpr std::size_t piece_bytes = std::size_t{8} << 20;

#ifndef MADV_POPULATE_READ
constexpr int madvise_populate_read = 22;  // Linux 5.14; older headers do not name it
#else
constexpr int madvise_populate_read = MADV_POPULATE_READ;
#endif

// A part of a file, mapped as long as this lives. To map is no memory; to read what is mapped is.
class Mapping {
 public:
  static Result<Mapping> of(const Descriptor& file, std::size_t from, std::size_t size) {
    Mapping mapping;
    if (size == 0) return mapping;
    void* mapped =
        ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), static_cast<off_t>(from));
    if (mapped == MAP_FAILED) return fail(Errc::failed, error_text(errno));
    mapping.begin_ = static_cast<std::byte*>(mapped);
    mapping.size_ = size;
    return mapping;
  }
  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Mapping() {
    if (begin_ != nullptr) (void)::munmap(begin_, size_);
  }

  // Blocks until it is in memory; the error of the system, or 0.
  [[nodiscard]] int populate() {
    int done = 0;
    do {
      done = ::madvise(begin_, size_, madvise_populate_read);
    } while (done != 0 && errno == EINTR);
    return done == 0 ? 0 : errno;
  }
  [[nodiscard]] int lock() { return size_ == 0 || ::mlock(begin_, size_) == 0 ? 0 : errno; }

  [[nodiscard]] Bytes resident() const {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::array<unsigned char, 4096> pages;
    std::size_t count = 0;
    for (std::size_t from = 0; from < size_; from += pages.size() * page) {
      const std::size_t span = std::min(pages.size() * page, size_ - from);
      if (::mincore(begin_ + from, span, pages.data()) != 0) return {};
      const auto here = static_cast<std::ptrdiff_t>((span + page - 1) / page);
      count += static_cast<std::size_t>(
          std::count_if(pages.begin(), pages.begin() + here, [](auto p) { return (p & 1U) != 0; }));
    }
    return Bytes{std::min(count * page, size_)};
  }

 private:
  std::byte* begin_ = nullptr;
  std::size_t size_ = 0;
};

// A file that is open as long as this lives, and mapped only where it is locked.
class OpenFile {
 public:
  static Result<OpenFile> open(const std::string& path) {
    OpenFile file;
    file.path_ = path;
    file.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.fd_.is_open()) {
      return fail(errno == ENOENT ? Errc::not_found : Errc::failed,
                  path + ": " + error_text(errno));
    }
    struct stat found{};
    if (::fstat(file.fd_.get(), &found) != 0 || !S_ISREG(found.st_mode)) {
      return fail(Errc::failed, path + ": it is not a file");
    }
    file.size_ = static_cast<std::size_t>(found.st_size);
    return file;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // Blocks until this piece is in memory. It is mapped for as long as that takes.
  Result<> read(std::size_t from) {
    const std::size_t count = std::min(piece_bytes, size_ - from);
    auto piece = Mapping::of(fd_, from, count);
    if (!piece) return explain(piece.error());
    const int error = piece->populate();
    if (error == 0) return {};
    if (error != EINVAL) return fail(Errc::io, path_ + ": reading it: " + error_text(error));
    return read_plainly(from, count);
  }

  Result<> lock() {
    locked_ = Mapping{};  // its pages would count twice against the limit
    auto whole = Mapping::of(fd_, 0, size_);
    if (!whole) return explain(whole.error());
    const int error = whole->lock();
    if (error == 0) {
      locked_ = *std::move(whole);
      return {};
    }
    rlimit limit{};
    (void)::getrlimit(RLIMIT_MEMLOCK, &limit);
    return fail(Errc::failed,
                path_ + ": it may not be locked: " + error_text(error) + "; the limit is " +
                    format_bytes(Bytes{limit.rlim_cur}) +
                    " (`ulimit -l`, LimitMEMLOCK= of a systemd unit); raise it, or drop `lock`");
  }

  // Of the page cache, whoever maps it. Nothing when it cannot be told.
  [[nodiscard]] Bytes resident() const {
    const auto whole = Mapping::of(fd_, 0, size_);
    return whole ? whole->resident() : Bytes{};
  }

  // What others map stays.
  void drop() {
    locked_ = Mapping{};
    (void)::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
  }

 private:
  OpenFile() = default;
  [[nodiscard]] std::unexpected<Error> explain(const Error& error) const {
    return fail(error.code, path_ + ": " + error.detail);
  }

  // Before Linux 5.14: the same through a buffer.
  Result<> read_plainly(std::size_t from, std::size_t count) {
    std::vector<std::byte> buffer(std::size_t{256} << 10);
    while (count > 0) {
      const ssize_t got = ::pread(fd_.get(), buffer.data(), std::min(buffer.size(), count),
                                  static_cast<off_t>(from));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Errc::io, path_ + ": reading it: " + error_text(errno));
      if (got == 0) return fail(Errc::io, path_ + ": it became shorter while it was read");
      from += static_cast<std::size_t>(got);
      count -= static_cast<std::size_t>(got);
    }
    return {};
  }

  std::string path_;
  Descriptor fd_;
  std::size_t size_ = 0;
  Mapping locked_;
};

class FilesInstance : public Instance {
 public:
  FilesInstance(std::vector<OpenFile> files, bool is_locked)
      : files_(std::move(files)), is_locked_(is_locked) {}

  [[nodiscard]] std::string endpoint() const override { return ""; }
  [[nodiscard]] int process() const override { return 0; }
  [[nodiscard]] int supervisor() const override { return 0; }
  [[nodiscard]] int exit_fd() const override { return -1; }
  [[nodiscard]] std::string exit_detail() override { return ""; }
  [[nodiscard]] MemoryFigures measure() const override {
    const std::lock_guard lock{mutex_};
    MemoryFigures figures;
    for (const OpenFile& file : files_)
      figures.file_exclusive = figures.file_exclusive + file.resident();
    if (is_locked_) figures.locked = figures.file_exclusive;
    figures.pss = figures.file_exclusive;
    return figures;
  }
  void unload() override {
    const std::lock_guard lock{mutex_};
    for (OpenFile& file : files_) file.drop();
    files_.clear();
  }

 private:
  mutable std::mutex mutex_;  // measure() comes on another thread
  std::vector<OpenFile> files_;
  bool is_locked_;
};

class FilesDriver : public Driver {
 public:
  explicit FilesDriver(FilesDriverOptions options) : options_(std::move(options)) {}
  [[nodiscard]] std::string_view kind() const override { return "files"; }
  [[nodiscard]] Result<std::unique_ptr<Instance>> load(const LoadJob& job,
                                                       std::stop_token stop) override;
  [[nodiscard]] std::vector<Adopted> adopt(const std::string&) override { return {}; }

 private:
  [[nodiscard]] Result<> bring_in(OpenFile& file, bool is_locked, Instant deadline,
                                  const std::stop_token& stop) const;

  const FilesDriverOptions options_;
};

Result<> read_all(OpenFile& file, Instant deadline, const std::stop_token& stop) {
  for (std::size_t from = 0; from < file.size(); from += piece_bytes) {
    if (stop.stop_requested()) return fail(Errc::unavailable, "its load was cancelled");
    if (boot_now() >= deadline) {
      return fail(Errc::timed_out, file.path() + ": " + format_bytes(Bytes{from}) + " of " +
                                       format_bytes(Bytes{file.size()}) +
                                       " were read in time; raise its `timeout`");
    }
    HEARTH_TRY(file.read(from));
  }
  return {};
}

// Read, and looked at: the kernel may have taken it back meanwhile.
Result<> FilesDriver::bring_in(OpenFile& file, bool is_locked, Instant deadline,
                               const std::stop_token& stop) const {
  Bytes resident{};
  for (unsigned reading = 0; reading < options_.readings_max; ++reading) {
    HEARTH_TRY(read_all(file, deadline, stop));
    if (is_locked) HEARTH_TRY(file.lock());
    resident = file.resident();
    if (options_.correct) resident = options_.correct(file.path(), resident);
    if (resident.count >= file.size()) return {};
  }
  return fail(Errc::failed,
              file.path() + ": only " + format_bytes(resident) + " of " +
                  format_bytes(Bytes{file.size()}) + " stay in memory once they are read; free " +
                  "memory, raise the limit of the daemon's control group, or drop `kind: files`");
}

// What was read stays in the cache when a load is given up, so that the next one goes on there.
Result<std::unique_ptr<Instance>> FilesDriver::load(const LoadJob& job, std::stop_token stop) {
  const Instant deadline = boot_now() + job.timeout;
  const auto explain = [&](const Error& error) {
    return fail(error.code, job.launch.name + ": " + error.detail);
  };
  std::vector<OpenFile> files;
  for (const std::string& given : job.launch.files) {
    auto file = OpenFile::open(given.starts_with('/') ? given : job.state_dir + "/" + given);
    if (!file) return explain(file.error());
    files.push_back(*std::move(file));
  }
  for (OpenFile& file : files) {
    const auto brought = bring_in(file, job.launch.is_locked, deadline, stop);
    if (!brought) return explain(brought.error());
  }
  return std::make_unique<FilesInstance>(std::move(files), job.launch.is_locked);
}

}  // namespace

std::unique_ptr<Driver> make_files_driver(FilesDriverOptions options) {
  return std::make_unique<FilesDriver>(std::move(options));
}

}  // namespace hearth
