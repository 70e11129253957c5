#include "tests/power/power_disk.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

namespace mozgach::power {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kSector = 512;

std::string SectorOf(const std::string& bytes, uint64_t sector) {
  std::string image(kSector, '\0');
  const uint64_t from = sector * kSector;
  if (from < bytes.size()) {
    const size_t size = std::min<size_t>(kSector, bytes.size() - from);
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(from), size, image.begin());
  }
  return image;
}

// As if the file were long enough.
void PutSector(std::string& bytes, uint64_t sector, const std::string& image) {
  const uint64_t from = sector * kSector;
  if (bytes.size() < from + kSector) bytes.resize(from + kSector, '\0');
  std::copy(image.begin(), image.end(), bytes.begin() + static_cast<ptrdiff_t>(from));
}

}  // namespace

PowerDisk& PowerDisk::Get() {
  static PowerDisk disk;
  return disk;
}

void PowerDisk::Attach(const fs::path& root) {
  Detach();
  nodes_.clear();
  pending_.clear();
  top_ = Load(root);
  calls_ = fault_at_ = 0;
  off_ = fails_after_ = false;
  struck_.clear();
  root_ = root.string();
}

void PowerDisk::Detach() { root_.clear(); }

PowerDisk::NodePointer PowerDisk::Load(const fs::path& path) {
  struct stat info {};
  ::lstat(path.c_str(), &info);
  auto node = std::make_shared<Node>();
  nodes_[info.st_ino] = node;
  if (S_ISLNK(info.st_mode)) {
    node->target = fs::read_symlink(path).string();
  } else if (S_ISDIR(info.st_mode)) {
    node->is_directory = true;
    for (const auto& entry : fs::directory_iterator(path)) {
      struct stat below {};
      ::lstat(entry.path().c_str(), &below);
      const auto known = nodes_.find(below.st_ino);  // by another of its names
      node->synced_names[entry.path().filename().string()] =
          known != nodes_.end() ? known->second : Load(entry.path());
    }
  } else {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    node->now = node->synced = bytes.str();
  }
  return node;
}

void PowerDisk::Plan(Fault fault, int64_t call, int64_t length) {
  fault_ = fault;
  fault_at_ = calls_ + call;
  fault_length_ = length;
}

bool PowerDisk::Watches(const std::string& path) const {
  return !root_.empty() && path.size() > root_.size() &&
         path.compare(0, root_.size(), root_) == 0 && path[root_.size()] == '/';
}

bool PowerDisk::Watches(int fd) const { return !root_.empty() && NodeOf(fd) != nullptr; }

int PowerDisk::Before(const char* call, const std::string& on, bool needs_room, bool syncs) {
  if (off_) return EIO;
  ++calls_;
  if (fault_at_ == 0 || calls_ < fault_at_) return 0;
  if (calls_ == fault_at_) struck_ = std::string(call) + " " + on;
  switch (fault_) {
    case Fault::kCut:
      off_ = true;
      fault_at_ = 0;
      return EIO;
    case Fault::kError:
      fault_at_ = 0;
      return EIO;
    case Fault::kErrorAfter:
      fault_at_ = 0;
      fails_after_ = true;
      return 0;
    case Fault::kFull:
      if (calls_ < fault_at_ + fault_length_) return needs_room && !syncs ? ENOSPC : 0;
      fault_at_ = 0;
      return 0;
  }
  return 0;
}

int PowerDisk::After() {
  const bool fails = fails_after_;
  fails_after_ = false;
  return fails ? EIO : 0;
}

PowerDisk::NodePointer PowerDisk::NodeOf(const std::string& path) const {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return nullptr;
  const auto found = nodes_.find(info.st_ino);
  return found == nodes_.end() ? nullptr : found->second;
}

PowerDisk::NodePointer PowerDisk::NodeOf(int fd) const {
  struct stat info {};
  struct stat top {};
  if (::fstat(fd, &info) != 0 || ::stat(root_.c_str(), &top) != 0 || info.st_dev != top.st_dev) {
    return nullptr;
  }
  const auto found = nodes_.find(info.st_ino);
  return found == nodes_.end() ? nullptr : found->second;
}

PowerDisk::Entry PowerDisk::EntryAt(const std::string& path, NodePointer node) const {
  const fs::path whole(path);
  return {NodeOf(whole.parent_path().string()), whole.filename().string(), std::move(node)};
}

void PowerDisk::Created(const std::string& path) {
  auto node = std::make_shared<Node>();
  struct stat info {};
  ::lstat(path.c_str(), &info);
  node->is_directory = S_ISDIR(info.st_mode);
  if (S_ISLNK(info.st_mode)) node->target = fs::read_symlink(path).string();
  nodes_[info.st_ino] = node;
  pending_.push_back({EntryAt(path, node)});
}

void PowerDisk::Linked(const std::string& path, ino_t inode) {
  pending_.push_back({EntryAt(path, nodes_.at(inode))});
}

void PowerDisk::Renamed(const std::string& from, const std::string& to) {
  pending_.push_back({EntryAt(from, nullptr), EntryAt(to, NodeOf(to))});
}

void PowerDisk::Removed(const std::string& path) { pending_.push_back({EntryAt(path, nullptr)}); }

void PowerDisk::TouchSectors(Node& node, uint64_t from, uint64_t to) {
  for (uint64_t sector = from / kSector; sector * kSector < to; ++sector) {
    node.unsynced[sector].push_back(SectorOf(node.now, sector));
    node.lost.erase(sector);
  }
}

void PowerDisk::Written(int fd, const void* bytes, size_t size, uint64_t offset) {
  Node& node = *NodeOf(fd);
  if (node.now.size() < offset + size) {
    node.now.resize(offset + size, '\0');
    node.sizes.push_back(node.now.size());
  }
  std::copy_n(static_cast<const char*>(bytes), size,
              node.now.begin() + static_cast<ptrdiff_t>(offset));
  TouchSectors(node, offset, offset + size);
}

void PowerDisk::Truncated(int fd, uint64_t size) {
  Node& node = *NodeOf(fd);
  if (node.now.size() == size) return;
  const uint64_t end = std::max<uint64_t>(node.now.size(), size);
  node.now.resize(size, '\0');
  node.sizes.push_back(size);
  TouchSectors(node, size, end);
}

void PowerDisk::Synced(int fd) {
  const NodePointer node = NodeOf(fd);
  if (node->is_directory) return SyncNames(node);
  std::string synced = node->now;
  for (const auto& [sector, images] : node->lost) {
    if (sector * kSector < synced.size()) PutSector(synced, sector, SectorOf(node->synced, sector));
  }
  synced.resize(node->now.size());
  node->synced = std::move(synced);
  node->unsynced.clear();
  node->sizes.clear();
}

void PowerDisk::SyncFailed(int fd) {
  const NodePointer node = NodeOf(fd);
  for (auto& [sector, images] : node->unsynced) {
    auto& lost = node->lost[sector];
    lost.insert(lost.end(), images.begin(), images.end());
  }
  node->unsynced.clear();
}

bool PowerDisk::Touch(const Change& change, const Change& other) {
  return std::any_of(change.begin(), change.end(), [&](const Entry& entry) {
    return std::any_of(other.begin(), other.end(), [&](const Entry& each) {
      return each.directory == entry.directory && each.name == entry.name;
    });
  });
}

void PowerDisk::Apply(const Change& change) {
  for (const Entry& entry : change) {
    if (entry.node == nullptr) {
      entry.directory->synced_names.erase(entry.name);
    } else {
      entry.directory->synced_names[entry.name] = entry.node;
    }
  }
}

// With what it touches, whatever came before in the same names.
void PowerDisk::SyncNames(const NodePointer& directory) {
  std::vector<bool> chosen(pending_.size());
  Change needed;
  for (size_t i = pending_.size(); i-- > 0;) {
    chosen[i] = Touch(pending_[i], needed) ||
                std::any_of(pending_[i].begin(), pending_[i].end(),
                            [&](const Entry& entry) { return entry.directory == directory; });
    if (chosen[i]) needed.insert(needed.end(), pending_[i].begin(), pending_[i].end());
  }
  std::vector<Change> left;
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (chosen[i]) {
      Apply(pending_[i]);
    } else {
      left.push_back(std::move(pending_[i]));
    }
  }
  pending_ = std::move(left);
}

std::string PowerDisk::BytesAfterCut(const Node& node, Dice& dice) {
  std::string bytes = node.synced;
  // Now and then nothing or everything: what is between is rarely the worst.
  const uint64_t mood = dice() % 4;
  for (const auto* sectors : {&node.lost, &node.unsynced}) {
    for (const auto& [sector, images] : *sectors) {
      const uint64_t drawn = mood == 0   ? 0
                             : mood == 1 ? images.size()
                                         : dice() % (images.size() + 1);
      if (drawn > 0) PutSector(bytes, sector, images[drawn - 1]);
    }
  }
  const uint64_t drawn = mood == 0   ? 0
                         : mood == 1 ? node.sizes.size()
                                     : dice() % (node.sizes.size() + 1);
  bytes.resize(drawn == 0 ? node.synced.size() : node.sizes[drawn - 1], '\0');
  return bytes;
}

void PowerDisk::WriteOut(const Node& directory, const fs::path& path, Dice& dice) {
  static std::map<const Node*, fs::path> written;  // files with more than one name
  if (&directory == top_.get()) written.clear();
  for (const auto& [name, node] : directory.synced_names) {
    const fs::path place = path / name;
    if (node->is_directory) {
      fs::create_directory(place);
      WriteOut(*node, place, dice);
    } else if (!node->target.empty()) {
      fs::create_symlink(node->target, place);
    } else if (const auto twin = written.find(node.get()); twin != written.end()) {
      fs::create_hard_link(twin->second, place);
    } else {
      std::ofstream(place, std::ios::binary) << BytesAfterCut(*node, dice);
      written.emplace(node.get(), place);
    }
  }
}

void PowerDisk::PowerOn(uint64_t seed) {
  const fs::path root = root_;
  Detach();
  Dice dice(seed);
  const uint64_t mood = dice() % 4;
  Change lost;
  for (const Change& change : pending_) {
    const bool there = mood == 0 ? false : mood == 1 ? true : dice() % 2 == 0;
    if (there && !Touch(change, lost)) {
      Apply(change);
    } else {
      lost.insert(lost.end(), change.begin(), change.end());
    }
  }
  for (const auto& entry : fs::directory_iterator(root)) fs::remove_all(entry.path());
  WriteOut(*top_, root, dice);
  Attach(root);
}

}  // namespace mozgach::power
