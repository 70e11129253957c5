#include "security/address.h"

#include <gtest/gtest.h>

namespace mozgach {
namespace {

TEST(AddressTest, OnlyThisMachinesOwnAddressesAreLocal) {
  for (const char* address : {"127.0.0.1:7108", "127.9.8.7:1", "localhost:7108", "[::1]:7108",
                              "unix:/run/mozgach.sock", "unix:here.sock"}) {
    EXPECT_TRUE(IsLocalAddress(address)) << address;
  }
  for (const char* address :
       {"0.0.0.0:7108", "10.0.0.1:7108", "[::]:7108", "gpu1:7108", "127.0.0.1.example.org:7108",
        "localhost.example.org:7108", "[::ffff:10.0.0.1]:7108", "1270.0.0.1:7108", ":7108"}) {
    EXPECT_FALSE(IsLocalAddress(address)) << address;
  }
}

TEST(AddressTest, WhatIsNoAddressIsRefused) {
  EXPECT_TRUE(CheckAddress("127.0.0.1:0", 0).ok());
  EXPECT_FALSE(CheckAddress("127.0.0.1:0", 1).ok());
  for (const std::string& address :
       {std::string("nowhere"), std::string(":7108"), std::string("h:99999"), std::string("h:x"),
        std::string("h:1/../x"), std::string("h h:1"), std::string("unix:"),
        "unix:" + std::string(108, 'x'), std::string("a\nb:1"), std::string("a\0b:1", 5),
        std::string(10000, 'a') + ":1", std::string("dns:///h:1"), std::string("[]:1")}) {
    EXPECT_FALSE(CheckAddress(address, 0).ok()) << address.substr(0, 40);
  }
  EXPECT_EQ(SocketPath("unix:/run/mozgach.sock"), "/run/mozgach.sock");
}

}  // namespace
}  // namespace mozgach
