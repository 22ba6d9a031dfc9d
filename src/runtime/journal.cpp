#include "runtime/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/archive.h"
#include "base/hash.h"
#include "core/engine/engine.h"

namespace hearth {
namespace {

constexpr std::string_view journal_magic = "hearth-journal-1";
constexpr std::string_view snapshot_magic_before = "hearth-snapshot-1";
constexpr std::string_view snapshot_magic = "hearth-snapshot-2";

struct FileHeader {
  std::string magic;
  std::uint32_t events = events_version;
  std::uint32_t engine = Engine::version;
  std::uint64_t first_sequence = 0;
  bool is_first = false;
  std::uint64_t check = 0;
  template <class A>
  void fields(A& a) {
    a(magic, events, engine, first_sequence, is_first, check);
  }
  [[nodiscard]] std::uint64_t expected_check() const {
    return fnv1a(magic) ^ (events * 0x9e3779b97f4a7c15U) ^ (engine * 0xc2b2ae3d27d4eb4fU) ^
           (first_sequence * 2 + (is_first ? 1 : 0));
  }
};

std::string file_name(std::uint64_t first_sequence) {
  std::array<char, 64> name{};
  const int size =
      std::snprintf(name.data(), name.size(), "journal-%020" PRIu64 ".log", first_sequence);
  return {name.data(), static_cast<std::size_t>(size)};
}

// The journal's files by the event they begin with.
std::map<std::uint64_t, std::string> journal_files(const std::string& directory) {
  std::map<std::uint64_t, std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{directory, error}) {
    const std::string name = entry.path().filename().string();
    std::uint64_t first = 0;
    if (std::sscanf(name.c_str(), "journal-%20" SCNu64 ".log", &first) == 1 &&
        name == file_name(first)) {
      files.emplace(first, entry.path().string());
    }
  }
  return files;
}

void set_aside(const std::string& path, const std::string& suffix) {
  (void)std::rename(path.c_str(), (path + "." + suffix).c_str());
}

std::uint64_t checksum(std::span<const std::byte> bytes) {
  return fnv1a({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

struct SnapshotFile {
  FileHeader header;
  std::uint64_t carried_check = 0;
  std::string carried;
  std::uint64_t body_check = 0;
  std::string body;
  template <class A>
  void fields(A& a) {
    a(header, carried_check, carried, body_check, body);
  }
};

template <class T>
std::string to_text(T value) {
  Writer writer;
  writer(value);
  return {reinterpret_cast<const char*>(writer.bytes().data()), writer.bytes().size()};
}

enum class Reading : unsigned char { good, missing, damaged, other_version };

// `carried` is given whenever its own part of the file is whole.
Reading read_snapshot(const std::string& path, Snapshot& snapshot,
                      std::optional<Carried>& carried) {
  const auto bytes = read_bytes(path);
  if (!bytes) return bytes.error().code == Errc::not_found ? Reading::missing : Reading::damaged;
  Reader reader{*bytes};
  SnapshotFile file;
  reader(file.header);
  if (!reader.ok() || file.header.check != file.header.expected_check()) return Reading::damaged;
  if (file.header.magic != snapshot_magic) {
    return file.header.magic == snapshot_magic_before ? Reading::other_version : Reading::damaged;
  }
  reader(file.carried_check, file.carried, file.body_check, file.body);
  if (!reader.ok() || !reader.at_end()) return Reading::damaged;
  const auto part = std::as_bytes(std::span{file.carried});
  if (checksum(part) != file.carried_check) return Reading::damaged;
  Reader carrying{part};
  carrying(carried.emplace());
  if (carrying.ok() && !carrying.at_end()) carrying(carried->lives);
  if (!carrying.ok() || !carrying.at_end()) carried.reset();
  if (file.header.events != events_version || file.header.engine != Engine::version) {
    return Reading::other_version;
  }
  const auto body = std::as_bytes(std::span{file.body});
  if (checksum(body) != file.body_check) return Reading::damaged;
  Reader inner{body};
  inner(snapshot);
  if (!inner.ok() || !inner.at_end()) return Reading::damaged;
  const auto engine = std::as_bytes(std::span{snapshot.engine_text});
  snapshot.engine.assign(engine.begin(), engine.end());
  snapshot.engine_text.clear();
  return Reading::good;
}

// Reads one file's events on top of what is there. False: nothing after it may be used.
bool read_journal(const std::string& path, std::uint64_t snapshot_sequence, Recovered& recovered) {
  const auto bytes = read_bytes(path);
  if (!bytes) {
    recovered.troubles.push_back("journal: " + bytes.error().detail);
    return false;
  }
  if (bytes->empty()) return true;  // made, and never written
  Reader reader{*bytes};
  FileHeader header;
  reader(header);
  const bool is_ours =
      reader.ok() && header.magic == journal_magic && header.check == header.expected_check();
  if (!is_ours) {
    // A write that was cut off in the header holds no event.
    if (bytes->size() < 64 && !reader.ok()) return true;
    set_aside(path, "corrupt");
    recovered.troubles.push_back("journal: " + path + " is damaged; it was set aside as *.corrupt");
    return false;
  }
  if (header.events != events_version || header.engine != Engine::version) {
    set_aside(path, "other-version");
    recovered.is_other_version = true;
    recovered.troubles.push_back("journal: " + path +
                                 " is of another version; it was set aside as *.other-version");
    return false;
  }
  std::uint64_t last = std::max(snapshot_sequence, recovered.last_sequence);
  if (last == 0 && !header.is_first) {
    set_aside(path, "corrupt");
    recovered.troubles.push_back("journal: what " + path +
                                 " continues is missing; it was set aside as *.corrupt");
    return false;
  }
  if (last == 0) last = header.first_sequence - 1;
  const auto decoded = decode_records(std::span{*bytes}.last(reader.remaining()));
  for (const JournalRecord& record : decoded.records) {
    if (record.sequence <= last) continue;
    if (record.sequence != last + 1) {
      set_aside(path, "corrupt");
      recovered.troubles.push_back("journal: events are missing before " + path +
                                   "; it was set aside as *.corrupt");
      return false;
    }
    last = record.sequence;
    recovered.last_sequence = last;
    recovered.tail.push_back(record);
  }
  if (decoded.is_corrupt) {
    set_aside(path, "corrupt");
    recovered.troubles.push_back("journal: " + path + " is damaged after event " +
                                 std::to_string(recovered.last_sequence) +
                                 "; it was set aside as *.corrupt");
    return false;
  }
  return true;
}

}  // namespace

Recovered Journal::recover(const std::string& directory) {
  Recovered recovered;
  const std::string snapshot_path = directory + "/snapshot";
  Snapshot snapshot;
  bool is_usable = true;
  std::optional<Carried> carried;
  switch (read_snapshot(snapshot_path, snapshot, carried)) {
    case Reading::good:
      carried.reset();
      recovered.last_sequence = snapshot.sequence;
      recovered.snapshot = std::move(snapshot);
      break;
    case Reading::missing:
      break;
    case Reading::damaged:
      set_aside(snapshot_path, "corrupt");
      recovered.troubles.push_back("snapshot: " + snapshot_path +
                                   " is damaged; it was set aside as *.corrupt");
      break;
    case Reading::other_version:
      set_aside(snapshot_path, "other-version");
      recovered.is_other_version = true;
      is_usable = false;
      recovered.troubles.push_back("snapshot: " + snapshot_path +
                                   " is of another version; it was set aside as *.other-version");
      break;
  }
  const std::uint64_t from = recovered.last_sequence;
  std::uint64_t known = 0;
  for (const auto& [first, path] : journal_files(directory)) {
    if (is_usable) {
      is_usable = read_journal(path, from, recovered);
    } else {
      set_aside(path, recovered.is_other_version ? "other-version" : "corrupt");
    }
    // A file of which no event was set aside may hold none at all: its number is still free.
    known = std::max(known, is_usable && first > 0 ? first - 1 : first);
  }
  recovered.whole_until = recovered.last_sequence;
  // Sequence numbers are never used twice, not even those of events that were set aside.
  if (carried) known = std::max(known, carried->sequence);
  recovered.last_sequence = std::max(recovered.last_sequence, known);
  recovered.carried = std::move(carried);
  return recovered;
}

void Journal::set_all_aside(const std::string& directory, const std::string& suffix) {
  for (const auto& [first, path] : journal_files(directory)) set_aside(path, suffix);
  set_aside(directory + "/snapshot", suffix);
}

void Journal::begin_file(std::uint64_t sequence, bool is_first) {
  is_first_ = is_first;
  file_.reset();
  first_sequence_ = sequence;
  file_bytes_ = 0;
  deferred_.clear();
}

Result<> Journal::open() {
  path_ = directory_ + "/" + file_name(first_sequence_);
  Descriptor file{::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600)};
  if (!file.is_open()) return fail(Errc::io, path_ + ": " + error_text(errno));
  FileHeader header{.magic = std::string{journal_magic},
                    .first_sequence = first_sequence_,
                    .is_first = is_first_};
  header.check = header.expected_check();
  Writer writer;
  writer(header);
  if (!write_all(file.get(), writer.bytes())) {
    const int error = errno;
    (void)::unlink(path_.c_str());
    return fail(Errc::io, path_ + ": " + error_text(error));
  }
  file_ = std::move(file);
  is_name_synced_ = false;
  file_bytes_ = writer.bytes().size();
  return {};
}

Result<> Journal::append(const JournalRecord& record) {
  defer(record);
  return flush();
}

void Journal::defer(const JournalRecord& record) {
  const auto bytes = encode_record(record.sequence, record.unix_ms, record.event);
  deferred_.insert(deferred_.end(), bytes.begin(), bytes.end());
  last_deferred_ = record.sequence;
}

Result<> Journal::flush() {
  if (deferred_.empty()) return {};
  const std::vector<std::byte> bytes = std::exchange(deferred_, {});
  if (!file_.is_open()) HEARTH_TRY(open());
  if (write_all(file_.get(), bytes)) {
    file_bytes_ += bytes.size();
    return {};
  }
  const int error = errno;
  if (::ftruncate(file_.get(), static_cast<off_t>(file_bytes_)) != 0) begin_file(last_deferred_);
  return fail(Errc::io, path_ + ": " + error_text(error));
}

Result<> Journal::sync() {
  if (!file_.is_open()) return {};
  bool is_synced = ::fdatasync(file_.get()) == 0;
  if (is_synced && !is_name_synced_) {
    is_name_synced_ = sync_directory(directory_);
    is_synced = is_name_synced_;
  }
  if (is_synced) return {};
  return fail(Errc::io, path_ + ": " + error_text(errno));
}

Carried Snapshot::carried() const {
  Carried result{.sequence = sequence,
                 .next_request = next_request,
                 .next_command = next_command,
                 .next_lease = next_lease,
                 .pinned = pinned,
                 .learnt = {},
                 .lives = {}};
  for (const event::Learnt& one : learnt) {
    Bytes peak;
    for (const Bytes life : one.lives) peak = std::max(peak, life);
    result.learnt.push_back({.name = one.name, .peak = peak, .load_time = one.load_time});
    result.lives.push_back({.ram = one.lives, .devices = one.devices});
  }
  return result;
}

Result<> Journal::save(const std::string& directory, Snapshot snapshot, Sync sync) {
  snapshot.engine_text.assign(reinterpret_cast<const char*>(snapshot.engine.data()),
                              snapshot.engine.size());
  SnapshotFile file;
  file.header = {.magic = std::string{snapshot_magic}, .first_sequence = snapshot.sequence};
  file.header.check = file.header.expected_check();
  Carried carried = snapshot.carried();
  file.carried = to_text(std::move(carried.lives));
  file.carried.insert(0, to_text(std::move(carried)));
  file.carried_check = checksum(std::as_bytes(std::span{file.carried}));
  file.body = to_text(std::move(snapshot));
  file.body_check = checksum(std::as_bytes(std::span{file.body}));
  Writer writer;
  writer(file);
  return write_file(directory + "/snapshot", writer.bytes(), sync);
}

void Journal::forget_before(const std::string& directory, std::uint64_t sequence) {
  for (const auto& [first, path] : journal_files(directory)) {
    if (first < sequence) (void)::unlink(path.c_str());
  }
}

ReplayMark::ReplayMark(const std::string& directory) : path_(directory + "/replaying") {
  const auto bytes = read_bytes(path_);
  if (bytes && bytes->size() == 16) {
    std::memcpy(&before_, bytes->data(), 8);
    std::memcpy(&begun_, bytes->data() + 8, 8);
  }
  file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

std::optional<std::uint64_t> ReplayMark::poisoned() const {
  if (before_ != 0 && begun_ >= 2) return before_;
  return std::nullopt;
}

void ReplayMark::begin(std::uint64_t sequence) {
  const std::array<std::uint64_t, 2> mark{sequence, sequence == before_ ? begun_ + 1 : 1};
  (void)::pwrite(file_.get(), mark.data(), sizeof mark, 0);
}

void ReplayMark::end() {
  file_.reset();
  (void)::unlink(path_.c_str());
}

}  // namespace hearth
