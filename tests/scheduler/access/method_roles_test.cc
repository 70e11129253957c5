#include "scheduler/access/method_roles.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "mozgach/v1/base_service.pb.h"
#include "mozgach/v1/fleet_service.pb.h"
#include "mozgach/v1/job_service.pb.h"
#include "mozgach/v1/registry_service.pb.h"
#include "mozgach/v1/upkeep_service.pb.h"
#include "mozgach/v1/worker_service.pb.h"

namespace mozgach {
namespace {

// A service that is added to a file of these, or to a new file that nobody names here, has no rows
// either: then every call to it is refused (AuthenticationTest).
TEST(MethodRolesTest, EveryMethodOfEveryServiceHasARow) {
  int methods = 0;
  for (const google::protobuf::FileDescriptor* file :
       {v1::SubmitRequest::descriptor()->file(), v1::SynchronizeRequest::descriptor()->file(),
        v1::Version::descriptor()->file(), v1::AddBaseRequest::descriptor()->file(),
        v1::AddTokenRequest::descriptor()->file(),
        v1::CheckConsistencyRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      const google::protobuf::ServiceDescriptor& service = *file->service(s);
      for (int m = 0; m < service.method_count(); ++m, ++methods) {
        const std::string path =
            absl::StrCat("/", service.full_name(), "/", service.method(m)->name());
        EXPECT_NE(FindMethodRoles(path), nullptr) << path << " is nobody's: give it a row";
      }
    }
  }
  EXPECT_GE(methods, 30);
}

TEST(MethodRolesTest, WhatHasNoRowIsNobodys) {
  for (const Role role : kRoles) {
    EXPECT_FALSE(CheckMayCall(role, "/mozgach.v1.JobService/Destroy").ok());
    EXPECT_FALSE(CheckMayCall(role, "").ok());
    EXPECT_FALSE(CheckMayCall(role, "/mozgach.v1.JobService/List/").ok());
    EXPECT_FALSE(CheckMayCall(role, std::string(10000, '/')).ok());
  }
}

TEST(MethodRolesTest, EachRoleOfPeopleMayWhatTheOneBelowItMay) {
  for (const char* path : {"/mozgach.v1.JobService/List", "/mozgach.v1.JobService/Submit",
                           "/mozgach.v1.JobService/DrainWorker"}) {
    bool may = false;
    for (const Role role : {Role::kViewer, Role::kSubmitter, Role::kOperator}) {
      const bool now = CheckMayCall(role, path).ok();
      EXPECT_TRUE(now || !may) << path;
      may = now;
    }
    EXPECT_TRUE(may) << path;
    EXPECT_FALSE(CheckMayCall(Role::kWorker, path).ok()) << path;
  }
  EXPECT_FALSE(CheckMayCall(Role::kOperator, "/mozgach.v1.WorkerService/Synchronize").ok());
  EXPECT_TRUE(CheckMayCall(Role::kWorker, "/mozgach.v1.WorkerService/Synchronize").ok());
}

TEST(MethodRolesTest, LookingIsForSubmittersRemovingForOperators) {
  EXPECT_FALSE(CheckMayCall(Role::kViewer, "/mozgach.v1.UpkeepService/CheckConsistency").ok());
  EXPECT_TRUE(CheckMayCall(Role::kSubmitter, "/mozgach.v1.UpkeepService/CheckConsistency").ok());
  EXPECT_FALSE(CheckMayCall(Role::kSubmitter, "/mozgach.v1.UpkeepService/CollectGarbage").ok());
  EXPECT_TRUE(CheckMayCall(Role::kOperator, "/mozgach.v1.UpkeepService/CollectGarbage").ok());
  EXPECT_FALSE(CheckMayCall(Role::kWorker, "/mozgach.v1.UpkeepService/CollectGarbage").ok());
}

}  // namespace
}  // namespace mozgach
