// Where the linker sends the system calls of registry and blob store (see CMakeLists.txt).
#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>

#include "tests/sim/disk.h"

namespace {

using mozgach::sim::Disk;

template <typename Call>
auto Guarded(bool needs_room, Call call) -> decltype(call()) {
  if (const int error = Disk::Get().Before(needs_room); error != 0) {
    errno = error;
    return -1;
  }
  const auto result = call();
  if (result < 0) return result;
  if (const int error = Disk::Get().After(); error != 0) {
    errno = error;
    return -1;
  }
  return result;
}

}  // namespace

extern "C" {

int __real_rename(const char* from, const char* to);
int __real_link(const char* from, const char* to);
int __real_symlink(const char* target, const char* path);
int __real_mkdir(const char* path, mode_t mode);
int __real_fsync(int fd);
ssize_t __real_write(int fd, const void* bytes, size_t size);
ssize_t __real_pwrite(int fd, const void* bytes, size_t size, off_t offset);

int __wrap_rename(const char* from, const char* to) {
  return Guarded(false, [&] { return __real_rename(from, to); });
}
int __wrap_link(const char* from, const char* to) {
  return Guarded(true, [&] { return __real_link(from, to); });
}
int __wrap_symlink(const char* target, const char* path) {
  return Guarded(true, [&] { return __real_symlink(target, path); });
}
int __wrap_mkdir(const char* path, mode_t mode) {
  return Guarded(true, [&] { return __real_mkdir(path, mode); });
}
int __wrap_fsync(int fd) {
  return Guarded(false, [&] { return __real_fsync(fd); });
}
ssize_t __wrap_write(int fd, const void* bytes, size_t size) {
  return Guarded(true, [&] { return __real_write(fd, bytes, size); });
}
ssize_t __wrap_pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return Guarded(true, [&] { return __real_pwrite(fd, bytes, size, offset); });
}

}  // extern "C"
