#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/files.h"
#include "tests/registry/weights.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RegistryServiceTest : public Service {
 protected:
  void SetUp() override {
    SubmitOne("law");
    TestWorker alpha("alpha");
    RunOne(alpha);
  }
  v1::GetVersionRequest Version(const std::string& version = "") {
    v1::GetVersionRequest request;
    request.set_domain("law");
    request.set_version(version);
    return request;
  }
  grpc::Status Download(const std::string& path, std::string* bytes) {
    DeadlineContext deadline;
    v1::DownloadFileRequest request;
    request.set_domain("law");
    request.set_path(path);
    const auto reader = registry_->DownloadFile(deadline, request);
    v1::DownloadFileResponse response;
    while (reader->Read(&response)) *bytes += response.data();
    return reader->Finish();
  }
};

TEST_F(RegistryServiceTest, VersionsAreListedAndShown) {
  DeadlineContext deadline, again;
  v1::ListVersionsResponse list;
  ASSERT_TRUE(registry_->ListVersions(deadline, v1::ListVersionsRequest(), &list).ok());
  ASSERT_EQ(list.versions_size(), 1);
  EXPECT_EQ(list.versions(0).version(), "v0001");
  EXPECT_THAT(list.versions(0).aliases(), ElementsAre("latest"));
  v1::Version version;
  ASSERT_TRUE(registry_->GetVersion(again, Version(), &version).ok());
  EXPECT_EQ(version.files_size(), 4);
  EXPECT_TRUE(std::filesystem::path(version.path()).is_absolute());
  EXPECT_TRUE(std::filesystem::exists(version.path() + "/adapter_model.safetensors"));
}

TEST_F(RegistryServiceTest, FilesAreDownloaded) {
  std::string bytes;
  ASSERT_TRUE(Download("adapter_model.safetensors", &bytes).ok());
  EXPECT_EQ(bytes, Weights("tensors"));
}

TEST_F(RegistryServiceTest, OnlyPublishedNamesAreOpened) {
  std::string bytes;
  for (const char* path : {"../../../../mozgach.db", "/etc/passwd", "", ".", "nothing",
                           "../v0001/adapter_model.safetensors"}) {
    EXPECT_EQ(Download(path, &bytes).error_code(), grpc::StatusCode::NOT_FOUND) << path;
  }
  EXPECT_EQ(bytes, "");
}

TEST_F(RegistryServiceTest, FileThatIsGoneIsToldByItsVersion) {
  std::filesystem::remove_all(Options().data / "registry/adapters/law/v0001");
  std::string bytes;
  const grpc::Status status = Download("metrics.json", &bytes);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("mozgachctl adapters verify law v0001"));
}

TEST_F(RegistryServiceTest, AliasIsSetAndRemoved) {
  v1::SetAliasRequest request;
  request.set_domain("law");
  request.set_alias("champion");
  request.set_version("v0001");
  DeadlineContext deadline, again, third;
  v1::Version version;
  ASSERT_TRUE(registry_->SetAlias(deadline, request, &version).ok());
  EXPECT_THAT(version.aliases(), ElementsAre("champion", "latest"));
  ASSERT_TRUE(registry_->GetVersion(again, Version("champion"), &version).ok());
  EXPECT_EQ(version.version(), "v0001");
  request.clear_version();
  ASSERT_TRUE(registry_->SetAlias(third, request, &version).ok());
  EXPECT_THAT(version.aliases(), ElementsAre("latest"));
}

TEST_F(RegistryServiceTest, VerifyFindsAChangedByte) {
  DeadlineContext deadline, again, third;
  v1::VerifyVersionRequest request;
  request.set_domain("law");
  v1::VerifyVersionResponse response;
  ASSERT_TRUE(registry_->VerifyVersion(deadline, request, &response).ok());
  EXPECT_EQ(response.problems_size(), 0);
  v1::Version version;
  ASSERT_TRUE(registry_->GetVersion(again, Version(), &version).ok());
  ASSERT_TRUE(WriteFileAtomically(version.path() + "/adapter_model.safetensors", "TENSORS").ok());
  ASSERT_TRUE(registry_->VerifyVersion(third, request, &response).ok());
  ASSERT_EQ(response.problems_size(), 1);
  EXPECT_THAT(response.problems(0), HasSubstr("adapter_model.safetensors has changed"));
}

TEST_F(RegistryServiceTest, VerifyFindsALinkThatIsNone) {
  DeadlineContext deadline, again;
  v1::Version version;
  ASSERT_TRUE(registry_->GetVersion(deadline, Version(), &version).ok());
  std::filesystem::remove(std::filesystem::path(version.path()).parent_path() / "latest");
  v1::VerifyVersionRequest request;
  request.set_domain("law");
  v1::VerifyVersionResponse response;
  ASSERT_TRUE(registry_->VerifyVersion(again, request, &response).ok());
  ASSERT_EQ(response.problems_size(), 1);
  EXPECT_THAT(response.problems(0), HasSubstr("latest is not a link"));
}

TEST_F(RegistryServiceTest, UnknownDomainsAndVersionsAreNotFound) {
  DeadlineContext deadline, again;
  v1::Version version;
  EXPECT_EQ(registry_->GetVersion(deadline, Version("v0002"), &version).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1::GetVersionRequest request;
  request.set_domain("../law");
  EXPECT_EQ(registry_->GetVersion(again, request, &version).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace mozgach
