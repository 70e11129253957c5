// The PowerDisk is a folder on a disk that loses power.  It sees every system call by which this
// process changes what lies there (system_calls.cc), SQLite's own as well, knows what has been
// synced, and after a cut leaves the folder in one of the states that a file system may leave.
//
// What it takes for promised, and what not (POSIX as ext4, XFS and btrfs keep it, none of what only
// one of them adds):
//
//   bytes     are there for certain once fsync or fdatasync of their file has returned.  Until then
//             each 512-byte sector has what was synced or anything that was written to it since, on
//             its own: writes are dropped, reordered and torn.  A sector is whole.  The file's size
//             is that of the last sync, or any since; what was never written reads as zeros.
//   names     what changes them (create, link, rename, unlink, mkdir, symlink) happens as a whole
//   or
//             not at all, a rename in both its directories.  It is there for certain once a
//             directory that it touches has been synced; until then it is there or not, on its own,
//             but for one thing: changes of one name keep their order.  Syncing a file does not
//             sync its name.  A directory whose own name is lost takes all below it along.
//   an fsync  that fails has lost what it should have written: the next one that succeeds does not
//             bring it back, although it can be read until then.
//
// One folder in a process, one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mozgach::power {

enum class Fault {
  kCut,         // no call after it does anything, until the power is back
  kError,       // one call fails
  kErrorAfter,  // one call fails although it was done
  kFull,        // nothing can be made or grow, for a while
};

class PowerDisk {
 public:
  static PowerDisk& Get();

  // Looks after `root`, an absolute path; what lies there is synced.  Counts calls from zero.
  void Attach(const std::filesystem::path& root);
  void Detach();

  // What happens at the `call`-th call from now, 1 being the next.  `length`: calls, of kFull.
  void Plan(Fault fault, int64_t call, int64_t length = 0);
  void PlanNothing() { fault_at_ = 0; }
  int64_t calls() const { return calls_; }
  // What the call was at which something happened: "fsync /x/y".
  const std::string& struck() const { return struck_; }

  // True without power: the test then drops its programs and calls one of the two functions below.
  bool off() const { return off_; }
  // They only died: what they wrote is what is there.
  void Revive() { off_ = false; }
  // The folder is what a cut may have left of it, drawn from `seed`.
  void PowerOn(uint64_t seed);

  // --- for system_calls.cc ---

  bool Watches(const std::string& path) const;
  bool Watches(int fd) const;
  // The error to return instead of doing it, or 0.
  int Before(const char* call, const std::string& on, bool needs_room, bool syncs);
  // The error to return although it was done, or 0.
  int After();

  void Created(const std::string& path);  // file, directory or symbolic link
  void Linked(const std::string& path, ino_t inode);
  void Renamed(const std::string& from, const std::string& to);
  void Removed(const std::string& path);
  void Written(int fd, const void* bytes, size_t size, uint64_t offset);
  void Truncated(int fd, uint64_t size);
  void Synced(int fd);
  void SyncFailed(int fd);

 private:
  struct Node;
  using NodePointer = std::shared_ptr<Node>;
  struct Sectors;

  struct Node {
    bool is_directory = false;
    std::string target;  // target of a symbolic link
    // Of a file.
    std::string now;
    std::string synced;
    std::map<uint64_t, std::vector<std::string>> unsynced;  // by sector, oldest first
    std::map<uint64_t, std::vector<std::string>> lost;      // by a sync that failed
    std::vector<uint64_t> sizes;                            // since the last sync
    // Of a directory.
    std::map<std::string, NodePointer> synced_names;
  };

  // One name of a directory; no node: it is not there.
  struct Entry {
    NodePointer directory;
    std::string name;
    NodePointer node;
  };
  using Change = std::vector<Entry>;

  using Dice = std::mt19937_64;
  NodePointer NodeOf(const std::string& path) const;
  NodePointer NodeOf(int fd) const;
  Entry EntryAt(const std::string& path, NodePointer node) const;
  static bool Touch(const Change& change, const Change& other);
  static void Apply(const Change& change);
  void SyncNames(const NodePointer& directory);
  static void TouchSectors(Node& node, uint64_t from, uint64_t to);

  NodePointer Load(const std::filesystem::path& path);
  static std::string BytesAfterCut(const Node& node, Dice& dice);
  void WriteOut(const Node& directory, const std::filesystem::path& path, Dice& dice);

  std::string root_;
  std::map<ino_t, NodePointer> nodes_;
  NodePointer top_;
  std::vector<Change> pending_;  // changes of names, oldest first
  int64_t calls_ = 0;
  Fault fault_ = Fault::kCut;
  int64_t fault_at_ = 0;
  int64_t fault_length_ = 0;
  bool fails_after_ = false;
  bool off_ = false;
  std::string struck_;
};

}  // namespace mozgach::power
