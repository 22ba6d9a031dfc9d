// What a driver leaves below the daemon's run folder of something that goes on without the daemon,
// so that the next one finds it.
//
// Contract   write_record() is atomic. read_records() hands over each whole record of that suffix;
//            one that is damaged, or lies under another name, is removed.
// Threads    thread-safe for different names.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/archive.h"
#include "runtime/files.h"

namespace hearth {

[[nodiscard]] inline std::string record_path(const std::string& run_dir, const std::string& name,
                                             std::string_view suffix) {
  return run_dir + "/" + name + std::string{suffix};
}

template <class Record>
[[nodiscard]] Result<> write_record(const std::string& run_dir, std::string_view suffix,
                                    const Record& record) {
  HEARTH_TRY(make_directories(run_dir));
  Record copy = record;  // its list of fields serves reading too
  Writer writer;
  writer(copy);
  return write_file(record_path(run_dir, record.name, suffix), writer.bytes());
}

inline void remove_record(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);  // one that stays is found to be stale later
}

template <class Record>
[[nodiscard]] std::vector<Record> read_records(const std::string& run_dir,
                                               std::string_view suffix) {
  std::vector<Record> records;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{run_dir, error}) {
    if (entry.path().extension() != suffix) continue;
    const auto bytes = read_bytes(entry.path().string());
    Record record;
    bool is_whole = false;
    if (bytes) {
      Reader reader{*bytes};
      reader(record);
      is_whole = reader.ok() && reader.at_end() &&
                 entry.path().string() == record_path(run_dir, record.name, suffix);
    }
    if (is_whole) {
      records.push_back(std::move(record));
    } else {
      remove_record(entry.path().string());
    }
  }
  return records;
}

}  // namespace hearth
