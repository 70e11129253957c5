#include "absl/strings/str_cat.h"
#include "common/domain/domain_checks.h"
#include "common/domain/domain_fields.h"
#include "common/domain/domain_spec.h"
#include "common/domain/domain_yaml.h"
#include "common/domain/field_reader.h"
#include "common/files.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

// Finds the datasets that a spec names.
class DatasetFinder {
 public:
  DatasetFinder(const SpecValue& root, const fs::path& directory, Problems* problems)
      : data_(root.Find("data")), directory_(directory), problems_(problems) {}

  // The absolute path of `name`, entry `index` of data.`key`.
  fs::path Find(const std::string& name, const char* key, size_t index) {
    const fs::path path = fs::absolute(directory_ / name).lexically_normal();
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      problems_->Add(PlaceOf(key, index),
                     absl::StrCat("data.", key, ": there is no file ", path.string(),
                                  "; relative paths start at the domain file"));
    } else if (!fs::is_regular_file(status)) {
      problems_->Add(PlaceOf(key, index),
                     absl::StrCat("data.", key, ": ", path.string(), " is not a regular file"));
    }
    return path;
  }

  // `key` may be left out or be null, but its text may not be empty.
  void ExpectNoEmptyName(const char* key) {
    const SpecValue* value = data_ == nullptr ? nullptr : data_->Find(key);
    if (value == nullptr || !value->IsScalar()) return;
    problems_->Add(value->place,
                   absl::StrCat("data.", key, " is empty: name a file, or leave it out"));
  }

 private:
  Place PlaceOf(const char* key, size_t index) const {
    const SpecValue* value = data_ == nullptr ? nullptr : data_->Find(key);
    if (value == nullptr) return {};
    return index < value->items.size() ? value->items[index].place : value->place;
  }

  const SpecValue* data_;
  const fs::path& directory_;
  Problems* problems_;
};

void FindDatasets(const SpecValue& root, const fs::path& directory, DomainFile* file,
                  Problems* problems) {
  DatasetFinder finder(root, directory, problems);
  const DataSpec& data = file->spec.data;
  for (size_t i = 0; i < data.train.size(); ++i) {
    if (data.train[i].empty()) continue;  // it could not be read, and has been reported
    file->train.push_back(finder.Find(data.train[i], "train", i));
  }
  if (const auto* name = std::get_if<std::string>(&data.validation)) {
    file->validation = finder.Find(*name, "validation", 0);
  }
  if (!data.test.empty()) file->test = finder.Find(data.test, "test", 0);
  if (data.test.empty()) finder.ExpectNoEmptyName("test");
}

void ReadSpec(const SpecValue& root, DomainSpec* spec, Problems* problems) {
  if (root.kind == SpecValue::Kind::kNull) {
    problems->Add({},
                  "the file is empty; a domain file needs at least domain, base and data.train");
    return;
  }
  if (root.kind != SpecValue::Kind::kMap) {
    problems->Add(
        root.place,
        absl::StrCat("a domain file is a map of keys like 'domain: law', not ", Describe(root)));
    return;
  }
  FieldReader reader(&root, "", root.place, problems);
  VisitFields(*spec, reader);
  reader.Finish();
}

}  // namespace

absl::StatusOr<DomainFile> ParseDomainFile(const std::string& text, const std::string& name,
                                           const fs::path& directory) {
  Problems problems;
  DomainFile file;
  file.path = name;
  const SpecValue root = ReadYaml(text, &problems);
  if (problems.empty()) ReadSpec(root, &file.spec, &problems);
  // Fields that could not be read hold defaults, about which there is nothing to say.
  if (problems.empty()) CheckDomain(file.spec, root, &problems);
  FindDatasets(root, directory, &file, &problems);
  RETURN_IF_ERROR(problems.ToStatus(name));
  return file;
}

absl::StatusOr<DomainFile> ReadDomainFile(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path.string(), " is a directory; name its files: ", (path / "*.yaml").string()));
  }
  if (fs::exists(path, error) && !fs::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": is not a regular file"));
  }
  absl::StatusOr<std::string> text = ReadFile(path, kMaxSpecBytes);
  if (text.status().code() == absl::StatusCode::kResourceExhausted) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": larger than ", kMaxSpecBytes,
                                                   " bytes; is this a domain file?"));
  }
  RETURN_IF_ERROR(text.status());
  return ParseDomainFile(*text, path.string(), fs::absolute(path).parent_path());
}

}  // namespace mozgach
