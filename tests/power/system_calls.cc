// The system calls that change files, as this program has them: every library in it, shared ones
// (SQLite, the C++ library) too, finds these before those of the C library.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/power/power_disk.h"

namespace {

using mozgach::power::PowerDisk;

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::string PathOf(int directory, const char* name) {
  if (name[0] == '/') return name;
  char path[4096];
  const std::string link =
      directory == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(directory);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof(path));
  return size < 0 ? std::string(name) : std::string(path, static_cast<size_t>(size)) + "/" + name;
}

std::string PathOf(int fd) { return PathOf(fd, ""); }

template <typename Call, typename Then>
auto Guarded(const char* what, const std::string& on, bool needs_room, bool syncs, Call call,
             Then then) -> decltype(call()) {
  PowerDisk& disk = PowerDisk::Get();
  if (const int error = disk.Before(what, on, needs_room, syncs); error != 0) {
    errno = error;
    return -1;
  }
  const auto result = call();
  if (result < 0) return result;
  then(result);
  if (const int error = disk.After(); error != 0) {
    errno = error;
    return -1;
  }
  return result;
}

template <typename Call>
int Open(const std::string& path, int flags, Call call) {
  PowerDisk& disk = PowerDisk::Get();
  struct stat info;
  const bool there = disk.Watches(path) && ::stat(path.c_str(), &info) == 0;
  const bool makes = !there && (flags & O_CREAT) != 0;
  const bool empties = there && (flags & O_TRUNC) != 0;
  if (!disk.Watches(path) || (!makes && !empties)) return call();
  int opened = -1;
  const int result = Guarded(
      "open", path, makes, false, [&] { return opened = call(); },
      [&](int fd) { makes ? disk.Created(path) : disk.Truncated(fd, 0); });
  if (result < 0 && opened >= 0) {
    const int error = errno;
    ::close(opened);
    errno = error;
  }
  return result;
}

template <typename Call>
ssize_t Write(int fd, const void* bytes, size_t size, off_t offset, Call call) {
  PowerDisk& disk = PowerDisk::Get();
  if (!disk.Watches(fd)) return call();
  return Guarded("write", PathOf(fd), true, false, call, [&](ssize_t written) {
    disk.Written(fd, bytes, static_cast<size_t>(written), static_cast<uint64_t>(offset));
  });
}

template <typename Call>
int Truncate(int fd, off_t size, Call call) {
  PowerDisk& disk = PowerDisk::Get();
  if (!disk.Watches(fd)) return call();
  return Guarded("ftruncate", PathOf(fd), false, false, call,
                 [&](int) { disk.Truncated(fd, static_cast<uint64_t>(size)); });
}

template <typename Call>
int Sync(int fd, Call call) {
  PowerDisk& disk = PowerDisk::Get();
  if (!disk.Watches(fd)) return call();
  const bool was_off = disk.off();
  // A sync that failed is the same whether it was tried or not.
  const int result = Guarded(
      "fsync", PathOf(fd), false, true, [] { return 0; }, [&](int) { disk.Synced(fd); });
  if (result < 0 && !was_off && !disk.off()) disk.SyncFailed(fd);
  return result;
}

template <typename Call>
int Remove(const char* what, const std::string& path, Call call) {
  PowerDisk& disk = PowerDisk::Get();
  struct stat info;
  if (!disk.Watches(path) || ::lstat(path.c_str(), &info) != 0) return call();
  return Guarded(what, path, false, false, call, [&](int) { disk.Removed(path); });
}

template <typename Call>
int Make(const char* what, const std::string& path, Call call) {
  PowerDisk& disk = PowerDisk::Get();
  struct stat info;
  if (!disk.Watches(path) || ::lstat(path.c_str(), &info) == 0) return call();
  return Guarded(what, path, true, false, call, [&](int) { disk.Created(path); });
}

mode_t ModeAfter(int flags, va_list more) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(more, int)) : 0;
}

off_t PlaceOf(int fd) {
  if ((::fcntl(fd, F_GETFL) & O_APPEND) == 0) return ::lseek(fd, 0, SEEK_CUR);
  struct stat info {};
  ::fstat(fd, &info);
  return info.st_size;
}

}  // namespace

extern "C" {

#define MOZGACH_OPEN(name)                                                               \
  int name(const char* path, int flags, ...) {                                           \
    static const auto real = Real<int(const char*, int, ...)>(#name);                    \
    va_list more;                                                                        \
    va_start(more, flags);                                                               \
    const mode_t mode = ModeAfter(flags, more);                                          \
    va_end(more);                                                                        \
    return Open(PathOf(AT_FDCWD, path), flags, [&] { return real(path, flags, mode); }); \
  }
MOZGACH_OPEN(open)
MOZGACH_OPEN(open64)

int openat(int directory, const char* path, int flags, ...) {
  static const auto real = Real<int(int, const char*, int, ...)>("openat");
  va_list more;
  va_start(more, flags);
  const mode_t mode = ModeAfter(flags, more);
  va_end(more);
  return Open(PathOf(directory, path), flags, [&] { return real(directory, path, flags, mode); });
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto real = Real<ssize_t(int, const void*, size_t)>("write");
  return Write(fd, bytes, size, PlaceOf(fd), [&] { return real(fd, bytes, size); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static const auto real = Real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return Write(fd, bytes, size, offset, [&] { return real(fd, bytes, size, offset); });
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  static const auto real = Real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return Write(fd, bytes, size, offset, [&] { return real(fd, bytes, size, offset); });
}

int ftruncate(int fd, off_t size) noexcept {
  static const auto real = Real<int(int, off_t)>("ftruncate");
  return Truncate(fd, size, [&] { return real(fd, size); });
}

int ftruncate64(int fd, off64_t size) noexcept {
  static const auto real = Real<int(int, off64_t)>("ftruncate64");
  return Truncate(fd, size, [&] { return real(fd, size); });
}

int fsync(int fd) {
  static const auto real = Real<int(int)>("fsync");
  return Sync(fd, [&] { return real(fd); });
}

int fdatasync(int fd) {
  static const auto real = Real<int(int)>("fdatasync");
  return Sync(fd, [&] { return real(fd); });
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = Real<int(const char*, const char*)>("rename");
  PowerDisk& disk = PowerDisk::Get();
  if (!disk.Watches(std::string(from))) return real(from, to);
  return Guarded(
      "rename", to, false, false, [&] { return real(from, to); },
      [&](int) { disk.Renamed(from, to); });
}

int link(const char* from, const char* to) noexcept {
  static const auto real = Real<int(const char*, const char*)>("link");
  PowerDisk& disk = PowerDisk::Get();
  if (!disk.Watches(std::string(to))) return real(from, to);
  return Guarded(
      "link", to, true, false, [&] { return real(from, to); },
      [&](int) {
        struct stat info {};
        ::lstat(to, &info);
        disk.Linked(to, info.st_ino);
      });
}

int symlink(const char* target, const char* path) noexcept {
  static const auto real = Real<int(const char*, const char*)>("symlink");
  return Make("symlink", path, [&] { return real(target, path); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = Real<int(const char*, mode_t)>("mkdir");
  return Make("mkdir", path, [&] { return real(path, mode); });
}

int unlink(const char* path) noexcept {
  static const auto real = Real<int(const char*)>("unlink");
  return Remove("unlink", path, [&] { return real(path); });
}

int unlinkat(int directory, const char* name, int flags) noexcept {
  static const auto real = Real<int(int, const char*, int)>("unlinkat");
  return Remove("unlinkat", PathOf(directory, name), [&] { return real(directory, name, flags); });
}

int rmdir(const char* path) noexcept {
  static const auto real = Real<int(const char*)>("rmdir");
  return Remove("rmdir", path, [&] { return real(path); });
}

int remove(const char* path) noexcept {
  static const auto real = Real<int(const char*)>("remove");
  return Remove("remove", path, [&] { return real(path); });
}

}  // extern "C"
