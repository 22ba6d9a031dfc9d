#include "platform/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <map>
#include <span>
#include <string_view>
#include <utility>

namespace hearth {
namespace {

// As nvml.h has them.
using Code = int;
constexpr Code success = 0;
constexpr Code uninitialized = 1;
constexpr Code not_supported = 3;
constexpr Code no_permission = 4;
constexpr Code insufficient_size = 7;
constexpr Code driver_not_loaded = 9;
constexpr Code gpu_is_lost = 15;
constexpr Code library_mismatch = 18;
constexpr std::uint64_t not_available = ~std::uint64_t{0};

using DeviceHandle = void*;
struct MemoryInfo {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
struct ProcessInfo {
  unsigned int pid;
  unsigned long long used;
  unsigned int gpu_instance;
  unsigned int compute_instance;
};
static_assert(sizeof(MemoryInfo) == 24 && sizeof(ProcessInfo) == 24);
// Drivers 535.43 to 535.86 write one more number a process under the same function's name, and
// there are reports of others that write two fewer.
constexpr std::size_t process_size_max = 32;
constexpr std::size_t process_size_min = 16;
static_assert(offsetof(ProcessInfo, gpu_instance) == process_size_min);
constexpr std::size_t processes_max = 4096;

using Init = Code (*)();
using Count = Code (*)(unsigned int*);
using HandleOf = Code (*)(unsigned int, DeviceHandle*);
using NameOf = Code (*)(DeviceHandle, char*, unsigned int);
using MemoryOf = Code (*)(DeviceHandle, MemoryInfo*);
using ProcessesOf = Code (*)(DeviceHandle, unsigned int*, void*);

std::string text_of(Code code) {
  switch (code) {
    case uninitialized:
      return "it is not started";
    case no_permission:
      return "no permission";
    case driver_not_loaded:
      return "the driver is not loaded";
    case gpu_is_lost:
      return "the device is lost";
    case library_mismatch:
      return "the library and the driver are of two versions: restart the machine";
    default:
      return "NVML error " + std::to_string(code);
  }
}

struct ProcessTexts {
  std::vector<std::byte> bytes;
  std::size_t count = 0;
};

// The size of one entry, by how far what was written reaches. What a driver that clears all its
// room leaves there is not mistaken for long ones.
std::size_t entry_size(const ProcessTexts& texts, std::byte untouched) {
  const auto is_untouched = [&](std::size_t from, std::size_t to) {
    const std::span<const std::byte> bytes{texts.bytes};
    return std::ranges::all_of(bytes.subspan(from, to - from),
                               [&](std::byte value) { return value == untouched; });
  };
  const std::size_t end_least = texts.count * process_size_min;
  const std::size_t end_short = texts.count * sizeof(ProcessInfo);
  const std::size_t end_long = texts.count * process_size_max;
  const bool is_long =
      !is_untouched(end_short, end_long) && is_untouched(end_long, texts.bytes.size());
  if (is_long) return process_size_max;
  return is_untouched(end_least, texts.bytes.size()) ? process_size_min : sizeof(ProcessInfo);
}

// What each process has on one device by one list, or the code of what went wrong.
using Uses = std::map<unsigned int, std::optional<Bytes>>;
std::expected<Uses, Code> uses_by(ProcessesOf function, DeviceHandle device) {
  constexpr std::byte untouched{0xA5};
  unsigned int count = 0;
  Code code = function(device, &count, nullptr);
  ProcessTexts texts;
  // Processes begin in between: some are asked for that nobody told of yet.
  for (int attempt = 0; code == insufficient_size && attempt < 4; ++attempt) {
    if (count > processes_max) return std::unexpected(code);
    count += 16;
    texts.bytes.assign(count * process_size_max, untouched);
    code = function(device, &count, texts.bytes.data());
    texts.count = count;
  }
  if (code == not_supported) return Uses{};
  if (code != success) return std::unexpected(code);
  if (texts.count * process_size_max > texts.bytes.size()) {
    return std::unexpected(insufficient_size);
  }
  const std::size_t size = entry_size(texts, untouched);
  Uses uses;
  for (std::size_t i = 0; i < texts.count; ++i) {
    ProcessInfo info{};
    std::memcpy(&info, texts.bytes.data() + i * size, sizeof info);
    // A partitioned device lists a process once for each part of it.
    const auto [place, is_new] = uses.try_emplace(info.pid, Bytes{});
    const bool is_told = info.used != not_available && place->second.has_value();
    if (is_told) {
      *place->second += Bytes{std::min<std::uint64_t>(info.used, Bytes::unlimited().count)};
    } else {
      place->second.reset();
    }
  }
  return uses;
}

// The larger of two lists' figures: both tell of the same memory.
void take_larger(Uses& uses, const Uses& others) {
  for (const auto& [process, used] : others) {
    const auto [place, is_new] = uses.try_emplace(process, used);
    if (!is_new && used) place->second = std::max(place->second.value_or(Bytes{}), *used);
  }
}

}  // namespace

struct Nvml::Library {
  void* handle = nullptr;
  bool is_started = false;
  Init shutdown = nullptr;
  Count count = nullptr;
  HandleOf handle_of = nullptr;
  NameOf name_of = nullptr;
  MemoryOf memory_of = nullptr;
  std::array<ProcessesOf, 2> process_lists{};  // computing, drawing

  ~Library() {
    if (is_started && shutdown != nullptr) (void)shutdown();
    if (handle != nullptr) (void)::dlclose(handle);
  }

  template <class Function>
  [[nodiscard]] bool find(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(::dlsym(handle, name));
    return function != nullptr;
  }

  [[nodiscard]] Result<unsigned int> device_count() const {
    unsigned int found = 0;
    const Code code = count(&found);
    if (code != success) return fail(Errc::failed, "NVML: no count of devices: " + text_of(code));
    return found;
  }
};

Nvml::Nvml(std::unique_ptr<Library> library) : library_{std::move(library)} {}
Nvml::~Nvml() = default;
Nvml::Nvml(Nvml&& other) noexcept = default;
Nvml& Nvml::operator=(Nvml&& other) noexcept = default;

Result<Nvml> Nvml::open(const std::string& name) {
  auto library = std::make_unique<Library>();
  library->handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library->handle == nullptr) {
    const char* error = ::dlerror();
    return fail(Errc::not_found, error == nullptr ? name + ": cannot be loaded" : error);
  }
  const auto lacks = [&](const char* function) {
    return fail(Errc::corrupt, name + ": lacks " + function + ": is it NVIDIA's?");
  };
  Init init = nullptr;
  if (!library->find(init, "nvmlInit_v2")) return lacks("nvmlInit_v2");
  if (!library->find(library->count, "nvmlDeviceGetCount_v2")) {
    return lacks("nvmlDeviceGetCount_v2");
  }
  if (!library->find(library->handle_of, "nvmlDeviceGetHandleByIndex_v2")) {
    return lacks("nvmlDeviceGetHandleByIndex_v2");
  }
  if (!library->find(library->name_of, "nvmlDeviceGetName")) return lacks("nvmlDeviceGetName");
  if (!library->find(library->memory_of, "nvmlDeviceGetMemoryInfo")) {
    return lacks("nvmlDeviceGetMemoryInfo");
  }
  constexpr std::array<std::array<const char*, 2>, 2> lists{
      {{"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"},
       {"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"}}};
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (library->find(library->process_lists.at(i), lists.at(i)[0])) continue;
    if (!library->find(library->process_lists.at(i), lists.at(i)[1])) return lacks(lists.at(i)[1]);
  }
  (void)library->find(library->shutdown, "nvmlShutdown");
  const Code code = init();
  if (code != success) return fail(Errc::unavailable, "NVML: " + text_of(code));
  library->is_started = true;
  return Nvml{std::move(library)};
}

Result<std::vector<NvmlDevice>> Nvml::devices() const {
  const unsigned int count = HEARTH_TRY(library_->device_count());
  std::vector<NvmlDevice> found;
  for (unsigned int i = 0; i < count; ++i) {
    NvmlDevice& device = found.emplace_back();
    DeviceHandle handle = nullptr;
    MemoryInfo memory{};
    std::array<char, 96> name{};
    const Code code = library_->handle_of(i, &handle);
    device.is_lost = code == gpu_is_lost;
    if (code != success) continue;
    if (library_->name_of(handle, name.data(), name.size() - 1) == success) {
      device.name = name.data();
    }
    const Code memory_code = library_->memory_of(handle, &memory);
    device.is_lost = memory_code == gpu_is_lost;
    if (memory_code != success || memory.total > Bytes::unlimited().count) continue;
    device.total = Bytes{memory.total};
    device.used = Bytes{std::min(memory.used, memory.total)};
  }
  return found;
}

Result<Nvml::Processes> Nvml::processes() const {
  const unsigned int count = HEARTH_TRY(library_->device_count());
  Processes found;
  for (unsigned int i = 0; i < count; ++i) {
    DeviceHandle handle = nullptr;
    if (library_->handle_of(i, &handle) != success) {
      found.is_whole = false;
      continue;
    }
    Uses uses;
    for (const ProcessesOf list : library_->process_lists) {
      const auto by_list = uses_by(list, handle);
      if (by_list) {
        take_larger(uses, *by_list);
      } else {
        found.is_whole = false;
      }
    }
    for (const auto& [process, used] : uses) {
      found.list.push_back({.device = i, .process = static_cast<pid_t>(process), .used = used});
    }
  }
  return found;
}

}  // namespace hearth
