#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/digest.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

class BlobServiceTest : public Service {
 protected:
  grpc::Status Download(const std::string& sha256, uint64_t offset, std::string* bytes) {
    DeadlineContext deadline;
    v1::DownloadBlobRequest request;
    request.set_sha256(sha256);
    request.set_offset(offset);
    const auto reader = workers_->DownloadBlob(deadline, request);
    v1::DownloadBlobResponse response;
    while (reader->Read(&response)) *bytes += response.data();
    return reader->Finish();
  }
  v1::StatBlobsResponse::Blob Stat(const std::string& sha256) {
    DeadlineContext deadline;
    v1::StatBlobsRequest request;
    request.add_sha256(sha256);
    v1::StatBlobsResponse response;
    EXPECT_TRUE(workers_->StatBlobs(deadline, request, &response).ok());
    return response.blobs_size() == 1 ? response.blobs(0) : v1::StatBlobsResponse::Blob();
  }
};

TEST_F(BlobServiceTest, WhatGoesUpComesDown) {
  std::string bytes;
  for (int i = 0; i < 700000; ++i) bytes += std::to_string(i);
  const std::string sha256 = PutBlob(bytes);
  EXPECT_TRUE(Stat(sha256).complete());
  std::string whole, rest;
  EXPECT_TRUE(Download(sha256, 0, &whole).ok());
  EXPECT_TRUE(whole == bytes);
  EXPECT_TRUE(Download(sha256, 1000000, &rest).ok());
  EXPECT_TRUE(rest == bytes.substr(1000000));
}

TEST_F(BlobServiceTest, UploadGoesOnAfterAnInterruptionAndARestart) {
  const std::string bytes = "0123456789";
  const std::string sha256 = Sha256Hex(bytes);
  EXPECT_EQ(Upload(sha256, 10, 0, "0123").error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(Stat(sha256).received_bytes(), 4u);
  EXPECT_FALSE(Stat(sha256).complete());
  Start();
  EXPECT_EQ(Stat(sha256).received_bytes(), 4u);
  EXPECT_TRUE(Upload(sha256, 10, 4, "456789").ok());
  EXPECT_TRUE(Stat(sha256).complete());
}

TEST_F(BlobServiceTest, WrongBytesAreRefused) {
  EXPECT_EQ(Upload(Sha256Hex("right"), 5, 0, "wrong").error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_FALSE(Stat(Sha256Hex("right")).complete());
}

TEST_F(BlobServiceTest, NamesThatAreNoDigestsAreRefused) {
  std::string bytes;
  for (const char* name : {"../lock", "/etc/passwd", "", "partial"}) {
    EXPECT_EQ(Upload(name, 1, 0, "x").error_code(), grpc::StatusCode::INVALID_ARGUMENT) << name;
    EXPECT_EQ(Download(name, 0, &bytes).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << name;
  }
  EXPECT_EQ(bytes, "");
}

TEST_F(BlobServiceTest, UnknownBlobIsNotFound) {
  std::string bytes;
  EXPECT_EQ(Download(Sha256Hex("nothing"), 0, &bytes).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(BlobServiceTest, UploadWithoutAMessageIsRefused) {
  DeadlineContext deadline;
  v1::UploadBlobResponse response;
  const auto writer = workers_->UploadBlob(deadline, &response);
  writer->WritesDone();
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BlobServiceTest, OffsetPastTheEndIsAnEmptyDownload) {
  const std::string sha256 = PutBlob("short");
  std::string bytes;
  EXPECT_TRUE(Download(sha256, 1000, &bytes).ok());
  EXPECT_TRUE(Download(sha256, UINT64_MAX, &bytes).ok());
  EXPECT_EQ(bytes, "");
}

}  // namespace
}  // namespace mozgach
