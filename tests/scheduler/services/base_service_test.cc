// Bases over gRPC, and the bytes of their files on disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/digest.h"
#include "mozgach/v1/base_service.grpc.pb.h"
#include "proto/base_manifest.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BaseServiceTest : public Service {
 protected:
  void SetUp() override {
    bases_ = v1::BaseService::NewStub(channel_);
    request_.mutable_base()->set_base(kTiny);
    for (const char* path : {"config.json", "model.safetensors"}) {
      v1::File& file = *request_.mutable_base()->add_files();
      file.set_path(path);
      file.set_sha256(PutBlob(path));
      file.set_size(std::string(path).size());
    }
    Seal(*request_.mutable_base());
    request_.set_check_blobs(true);
  }
  grpc::Status Add(v1::AddBaseResponse* response) {
    DeadlineContext deadline;
    response->Clear();
    return bases_->AddBase(deadline, request_, response);
  }
  v1::VerifyBaseResponse Verify() {
    DeadlineContext deadline;
    v1::VerifyBaseRequest request;
    request.set_base(kTiny);
    v1::VerifyBaseResponse response;
    const grpc::Status status = bases_->VerifyBase(deadline, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  fs::path BlobOf(const std::string& path) const {
    const std::string sha256 = Sha256Hex(path);
    return directory_.path() / "data" / "blobs" / sha256.substr(0, 2) / sha256;
  }

  std::unique_ptr<v1::BaseService::Stub> bases_;
  v1::AddBaseRequest request_;
};

TEST_F(BaseServiceTest, DamagedFileIsFoundByVerifyAndMendedByAddingTheBaseAgain) {
  v1::AddBaseResponse response;
  ASSERT_TRUE(Add(&response).ok());
  EXPECT_EQ(response.outcome(), "new");
  EXPECT_THAT(Verify().problems(), IsEmpty());
  EXPECT_EQ(Verify().files(), 2);
  const fs::path blob = BlobOf("model.safetensors");
  ASSERT_TRUE(fs::exists(blob));
  fs::permissions(blob, fs::perms::owner_all);
  std::ofstream(blob) << "Model.safetensors";
  ASSERT_EQ(Verify().problems_size(), 1);
  EXPECT_THAT(Verify().problems(0), HasSubstr("model.safetensors: its bytes are damaged"));
  ASSERT_TRUE(Add(&response).ok());
  EXPECT_THAT(response.missing_blobs(), ElementsAre(Sha256Hex("model.safetensors")));
  EXPECT_THAT(Verify().problems(0), HasSubstr("model.safetensors: is missing"));
  PutBlob("model.safetensors");
  ASSERT_TRUE(Add(&response).ok());
  EXPECT_EQ(response.outcome(), "unchanged");
  EXPECT_THAT(Verify().problems(), IsEmpty());
}

TEST_F(BaseServiceTest, WhatIsNoManifestIsRefusedBeforeAnyFileIsTouched) {
  v1::AddBaseResponse response;
  request_.mutable_base()->mutable_files(0)->set_sha256("../../lock");
  Seal(*request_.mutable_base());
  EXPECT_EQ(Add(&response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BaseServiceTest, UnknownBaseIsNotFound) {
  DeadlineContext deadline;
  v1::VerifyBaseRequest request;
  request.set_base("no/such");
  v1::VerifyBaseResponse response;
  EXPECT_EQ(bases_->VerifyBase(deadline, request, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace mozgach
