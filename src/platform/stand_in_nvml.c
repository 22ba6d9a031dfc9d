/* A stand-in for NVIDIA's library, with two devices, for tests on machines without one.

   HEARTH_STAND_IN_NVML is a list of words: "init=9" (what nvmlInit_v2 returns), "lost=1" (the
   device of that index is lost), "count=1" (what the count of devices returns), "deny=4" (what
   the lists of processes return), "size=32" (bytes a process). Built with STAND_IN_OLD it has
   the lists of version 2 alone, with STAND_IN_TORN no nvmlDeviceGetMemoryInfo. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int devices[2] = {0, 1};

static int word(const char* key, int fallback) {
  const char* words = getenv("HEARTH_STAND_IN_NVML");
  const char* at = words == NULL ? NULL : strstr(words, key);
  return at == NULL ? fallback : atoi(at + strlen(key));
}

static int is_lost(const void* device) { return word("lost=", -1) == *(const int*)device; }

int nvmlInit_v2(void);
int nvmlInit_v2(void) { return word("init=", 0); }
int nvmlShutdown(void);
int nvmlShutdown(void) { return 0; }

int nvmlDeviceGetCount_v2(unsigned int* count);
int nvmlDeviceGetCount_v2(unsigned int* count) {
  *count = 2;
  return word("count=", 0);
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void** device);
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void** device) {
  if (index > 1) return 2;
  *device = &devices[index];
  return 0;
}

int nvmlDeviceGetName(void* device, char* name, unsigned int length);
int nvmlDeviceGetName(void* device, char* name, unsigned int length) {
  if (is_lost(device)) return 15;
  (void)snprintf(name, length, "stand-in %d", *(int*)device);
  return 0;
}

#ifndef STAND_IN_TORN
int nvmlDeviceGetMemoryInfo(void* device, unsigned long long* memory);
int nvmlDeviceGetMemoryInfo(void* device, unsigned long long* memory) {
  if (is_lost(device)) return 15;
  memory[0] = 8ULL << 30;
  memory[2] = (unsigned long long)(*(int*)device + 1) << 30;
  memory[1] = memory[0] - memory[2];
  return 0;
}
#endif

struct entry {
  unsigned int pid;
  unsigned long long used;
  unsigned int parts[2];
};

/* 100 computes and draws, 101 computes in two parts of a device, of 102 nothing is known. */
static int list(void* device, unsigned int* count, void* infos, const struct entry* entries,
                unsigned int length) {
  const size_t size = (size_t)word("size=", sizeof(struct entry));
  const size_t told = size < sizeof(struct entry) ? size : sizeof(struct entry);
  if (is_lost(device)) return 15;
  if (word("deny=", 0) != 0) return word("deny=", 0);
  const unsigned int room = *count;
  *count = length;
  if (length == 0) return 0;
  if (infos == NULL || room < length) return 7;
  for (unsigned int i = 0; i < length; ++i) {
    memset((char*)infos + i * size, 0, size);
    memcpy((char*)infos + i * size, &entries[i], told);
  }
  return 0;
}

static int computing(void* device, unsigned int* count, void* infos) {
  static const struct entry first[] = {{100, 512ULL << 20, {0, 0}},
                                       {101, 256ULL << 20, {1, 0}},
                                       {101, 128ULL << 20, {2, 0}},
                                       {102, UINT64_MAX, {0, 0}}};
  static const struct entry second[] = {{100, 64ULL << 20, {0, 0}}};
  return *(int*)device == 0 ? list(device, count, infos, first, 4)
                            : list(device, count, infos, second, 1);
}

static int drawing(void* device, unsigned int* count, void* infos) {
  static const struct entry first[] = {{100, 600ULL << 20, {0, 0}}};
  return list(device, count, infos, first, *(int*)device == 0 ? 1 : 0);
}

#ifdef STAND_IN_OLD
#define LIST(kind) nvmlDeviceGet##kind##RunningProcesses_v2
#else
#define LIST(kind) nvmlDeviceGet##kind##RunningProcesses_v3
#endif
int LIST(Compute)(void* device, unsigned int* count, void* infos);
int LIST(Compute)(void* device, unsigned int* count, void* infos) {
  return computing(device, count, infos);
}
int LIST(Graphics)(void* device, unsigned int* count, void* infos);
int LIST(Graphics)(void* device, unsigned int* count, void* infos) {
  return drawing(device, count, infos);
}
