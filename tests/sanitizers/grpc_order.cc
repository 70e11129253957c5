// The thread sanitizer sees only code that is built with it, and gRPC is not.  gRPC hands a call
// from one thread to another with its own mutexes and atomics, so the sanitizer would report a race
// for everything that is handed over.  These functions stand before gRPC's functions of the same
// names and tell the sanitizer what gRPC promises:
// - The thread that receives a tag sees what was done before the operation with that tag started.
// - The receiver of a message sees what was done before the message was sent, by this process or by
//   a process that it started.
// - gRPC's locks are locks.
// The sanitizer build links this file into every program; no other build does.
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpcpp/support/callback_common.h>
#include <grpcpp/support/server_callback.h>
#include <spawn.h>
#include <sys/wait.h>

#include <functional>

#include "absl/synchronization/mutex.h"

// gRPC's, not in its headers.
int grpc_call_is_client(grpc_call* call);

extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);

namespace {

using Functor = grpc_completion_queue_functor;
using Run = void (*)(Functor*, int);

// What has been sent so far.
char sent;

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// What gRPC's C++ half runs when an operation that has a callback has ended: it is private there,
// but every tag bears it.
template <typename Tag>
Run RunOf();

template <>
Run RunOf<grpc::internal::CallbackWithStatusTag>() {
  static const Run run =
      grpc::internal::CallbackWithStatusTag(nullptr, nullptr, nullptr).functor_run;
  return run;
}

template <>
Run RunOf<grpc::internal::CallbackWithSuccessTag>() {
  static const Run run = [] {
    grpc::internal::CallbackWithSuccessTag tag;
    tag.Set(
        nullptr, [](bool) {}, nullptr, false);
    return tag.functor_run;
  }();
  return run;
}

template <typename Tag>
void AcquireAndRun(Functor* functor, int ok) {
  __tsan_acquire(functor);
  RunOf<Tag>()(functor, ok);
}

template <typename Tag>
void Watch(Functor* functor) {
  if (functor->functor_run == RunOf<Tag>()) functor->functor_run = AcquireAndRun<Tag>;
}

}  // namespace

extern "C" {

// RunOf makes tags of no call.
void grpc_call_ref(grpc_call* call) {
  static auto* const next = Next<decltype(grpc_call_ref)>("grpc_call_ref");
  if (call != nullptr) next(call);
}

void grpc_call_unref(grpc_call* call) {
  static auto* const next = Next<decltype(grpc_call_unref)>("grpc_call_unref");
  if (call != nullptr) next(call);
}

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t nops, void* tag,
                                      void* reserved) {
  static auto* const next = Next<decltype(grpc_call_start_batch)>("grpc_call_start_batch");
  // A tag of a completion queue begins with the pointer to its virtual functions: it is none of the
  // two.
  if (tag != nullptr) {
    Watch<grpc::internal::CallbackWithSuccessTag>(static_cast<Functor*>(tag));
    Watch<grpc::internal::CallbackWithStatusTag>(static_cast<Functor*>(tag));
    __tsan_release(tag);
  }
  __tsan_release(&sent);
  return next(call, ops, nops, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  static auto* const next =
      Next<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  const grpc_event event = next(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE && event.tag != nullptr) __tsan_acquire(event.tag);
  __tsan_acquire(&sent);
  return event;
}

// What a process is started for comes after all before, and before all that follows its end.
int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const arguments[],
                char* const environment[]) {
  static auto* const next = Next<decltype(posix_spawn)>("posix_spawn");
  __tsan_release(&sent);
  return next(pid, path, actions, attributes, arguments, environment);
}

pid_t waitpid(pid_t pid, int* status, int options) {
  static auto* const next = Next<decltype(waitpid)>("waitpid");
  const pid_t ended = next(pid, status, options);
  __tsan_acquire(&sent);
  return ended;
}

// A server's handler begins with this.
void* grpc_call_arena_alloc(grpc_call* call, size_t bytes) {
  static auto* const next = Next<decltype(grpc_call_arena_alloc)>("grpc_call_arena_alloc");
  if (!grpc_call_is_client(call)) __tsan_acquire(&sent);
  return next(call, bytes);
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static auto* const next =
      Next<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = next(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE && tag != nullptr) __tsan_acquire(tag);
  return event;
}

}  // extern "C"

// gRPC locks with these, in its headers as well: a reactor that is finished before gRPC has bound
// it leaves its reply behind such a lock, and the threads of its executor take their work from
// behind one.
namespace absl {
namespace {

// Who waits for a condition lets others have the lock meanwhile.
class LetGo {
 public:
  explicit LetGo(Mutex* mutex) : mutex_(mutex) { __tsan_release(mutex_); }
  ~LetGo() { __tsan_acquire(mutex_); }

 private:
  Mutex* const mutex_;
};

}  // namespace

void Mutex::Lock() {
  static auto* const next = Next<void(Mutex*)>("_ZN4absl7debian35Mutex4LockEv");
  next(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  static auto* const next = Next<bool(Mutex*)>("_ZN4absl7debian35Mutex7TryLockEv");
  const bool locked = next(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::Unlock() {
  static auto* const next = Next<void(Mutex*)>("_ZN4absl7debian35Mutex6UnlockEv");
  __tsan_release(this);
  next(this);
}

void CondVar::Wait(Mutex* mutex) {
  static auto* const next =
      Next<void(CondVar*, Mutex*)>("_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE");
  const LetGo while_waiting(mutex);
  next(this, mutex);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static auto* const next = Next<bool(CondVar*, Mutex*, Time)>(
      "_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  const LetGo while_waiting(mutex);
  return next(this, mutex, deadline);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static auto* const next = Next<bool(CondVar*, Mutex*, Duration)>(
      "_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  const LetGo while_waiting(mutex);
  return next(this, mutex, timeout);
}

}  // namespace absl

// What was done for a call comes before its OnCancel and its OnDone, which gRPC has a thread of its
// executor run, by a queue without a lock.
namespace grpc::internal {
namespace {

class OnDoneOfAnother final : public ServerCallbackCall {
 public:
  explicit OnDoneOfAnother(std::function<void()> run) : run_(std::move(run)) {}

 private:
  ServerReactor* reactor() override { return nullptr; }
  void CallOnDone() override {
    run_();
    delete this;
  }

  const std::function<void()> run_;
};

class OnCancelOfAnother final : public ServerReactor {
 public:
  explicit OnCancelOfAnother(std::function<void()> run) : run_(std::move(run)) {}

  void OnDone() override {}
  void OnCancel() override {
    run_();
    delete this;
  }

 private:
  const std::function<void()> run_;
};

}  // namespace

void ServerCallbackCall::CallOnCancel(ServerReactor* reactor) {
  static auto* const next = Next<void(ServerCallbackCall*, ServerReactor*)>(
      "_ZN4grpc8internal18ServerCallbackCall12CallOnCancelEPNS0_13ServerReactorE");
  __tsan_acquire(&on_cancel_conditions_remaining_);
  if (reactor->InternalInlineable()) return next(this, reactor);
  __tsan_release(reactor);
  next(this, new OnCancelOfAnother([reactor] {
         __tsan_acquire(reactor);
         reactor->OnCancel();
       }));
}

void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  static auto* const next = Next<void(ServerCallbackCall*, bool)>(
      "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb");
  // What gRPC itself counts down it counts unseen; the others have left here what they did.
  __tsan_acquire(&callbacks_outstanding_);
  if (inline_ondone) return next(this, true);
  __tsan_release(this);
  next(new OnDoneOfAnother([this] {
         __tsan_acquire(this);
         CallOnDone();
       }),
       false);
}

}  // namespace grpc::internal
