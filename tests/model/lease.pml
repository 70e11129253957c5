/* The lease protocol: workers that ask for jobs and report attempts, a scheduler that leases,
 * expires and publishes, and between them a network that loses, doubles and reorders.
 *
 * What a worker says about an attempt that is not the present one of its job changes nothing: that is
 * the guard.  With -DNO_GUARD it is not there, and spin finds what happens then.
 *
 * Names are those of the code: scheduler/worker_call.cc (Hear, Give), scheduler/attempt_life.cc
 * (Claim, EndAttempt), scheduler/publication.cc (RecordIntent, Conclude), worker/session_orders.cc.
 */
#define WORKERS 2
#define JOBS 2
#define ATTEMPTS 3
#define NONE 255
#ifdef NO_GUARD
#define IS_PRESENT(job, number) true
#else
#define IS_PRESENT(job, number) (attempt[job] == number)
#endif

mtype:state = { QUEUED, RUNNING, PUBLISHING, SUCCEEDED };
mtype:word = { IDLE, FINISHED };              /* a worker says; of what goes on it need not */
mtype:order = { RUN, PUBLISHED, NOT_NAMED };  /* a scheduler answers */

chan up = [2] of { byte, byte, byte, mtype:word };    /* worker, job, attempt */
chan down = [1] of { byte, byte, byte, mtype:order };

/* What the scheduler's database holds. */
mtype:state state[JOBS] = QUEUED;
byte attempt[JOBS];
byte holder[JOBS] = NONE;

/* What nobody in the fleet knows, to check by. */
byte versions[JOBS];

inline Answer(worker, job, number, order) {
  if
  :: nfull(down) -> down!worker, job, number, order
  :: full(down)  /* lost */
  fi
}

/* The job that `worker` holds, given again, or a queued one, or none. */
inline Give(worker) {
  if
  :: holder[0] == worker -> Answer(worker, 0, attempt[0], RUN)
  :: holder[1] == worker && holder[0] != worker -> Answer(worker, 1, attempt[1], RUN)
  :: holder[0] != worker && holder[1] != worker && state[0] == QUEUED && attempt[0] < ATTEMPTS ->
     Claim(0, worker)
  :: holder[0] != worker && holder[1] != worker && state[1] == QUEUED && attempt[1] < ATTEMPTS ->
     Claim(1, worker)
  :: else
  fi
}

inline Claim(job, worker) {
  state[job] = RUNNING;
  attempt[job]++;
  holder[job] = worker;
  Answer(worker, job, attempt[job], RUN)
}

inline RecordIntent(job, trained) {
  assert(state[job] == RUNNING);
  /* The version's row names the present attempt: it must be the one whose files they are. */
  assert(trained == attempt[job]);
  state[job] = PUBLISHING;
  holder[job] = NONE
}

inline Conclude(job) {
  assert(state[job] == PUBLISHING);
  versions[job]++;
  assert(versions[job] == 1);
  state[job] = SUCCEEDED
}

inline Expire(job) {
  assert(state[job] == RUNNING);
  state[job] = QUEUED;
  holder[job] = NONE
}

inline Hear(worker, job, number) {
  if
  :: holder[job] == worker && IS_PRESENT(job, number) ->
     RecordIntent(job, number);
     Answer(worker, job, number, PUBLISHED)
  :: else -> Answer(worker, job, number, NOT_NAMED)
  fi
}

active proctype scheduler() {
  byte w, j, a;
  mtype:word said;
end:
  do
  :: atomic {
       up?w, j, a, said ->
       if
       :: said == IDLE -> Give(w)
       :: else -> Hear(w, j, a)
       fi;
       w = 0; j = 0; a = 0; said = 0
     }
  :: atomic { state[0] == RUNNING -> Expire(0) }
  :: atomic { state[1] == RUNNING -> Expire(1) }
  :: atomic { state[0] == PUBLISHING -> Conclude(0) }
  :: atomic { state[1] == PUBLISHING -> Conclude(1) }
  od
}

active [WORKERS] proctype worker() {
  byte me = _pid - 1;
  byte job = NONE, number, j, a;
  bool done;
  mtype:order told;
end:
  do
  :: atomic { job == NONE && nfull(up) -> up!me, 0, 0, IDLE }
  :: atomic { job != NONE && !done -> done = true }
  :: atomic { job != NONE && done && nfull(up) -> up!me, job, number, FINISHED }
  :: atomic {
       if  /* an answer, or one that comes once more */
       :: down?eval(me), j, a, told
       :: down?<eval(me), j, a, told>
       fi;
       if
       :: told == RUN && job == NONE -> job = j; number = a; done = false
       :: told != RUN && job == j && number == a -> job = NONE; done = false; number = 0
       :: else
       fi;
       j = 0; a = 0; told = 0
     }
  :: atomic { job != NONE -> job = NONE; done = false; number = 0 }  /* it dies, and starts anew */
  od
}

/* Loses, doubles, and lets later messages overtake. */
active proctype network() {
  byte w, j, a;
  mtype:word said;
  mtype:order told;
end:
  do
  :: atomic { up?w, j, a, said -> w = 0; j = 0; a = 0; said = 0 }
  :: atomic { nfull(up) && nempty(up) -> up?<w, j, a, said>; up!w, j, a, said;
              w = 0; j = 0; a = 0; said = 0 }
  :: atomic { len(up) > 1 -> up?w, j, a, said; up!w, j, a, said; w = 0; j = 0; a = 0; said = 0 }
  :: atomic { down?w, j, a, told -> w = 0; j = 0; a = 0; told = 0 }
  od
}
