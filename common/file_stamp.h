// A FileStamp tells whether a file is still what it was, without reading it.
#pragma once

#include <cstdint>

#include "common/status.h"

namespace mozgach {

struct FileStamp {
  int64_t size = 0;      // bytes
  int64_t mtime_ns = 0;  // last change of the contents, nanoseconds since 1970
  int64_t ctime_ns = 0;  // last change of anything, which no program can set
  int64_t inode = 0;

  bool operator==(const FileStamp&) const = default;

  // False where the file was changed so shortly before now that another change might bear the same
  // time: such a stamp proves nothing later.
  bool Settled() const;
};

// DATA_LOSS if it is not a regular file.
absl::StatusOr<FileStamp> StampOf(int fd);

}  // namespace mozgach
