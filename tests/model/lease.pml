/* The lease protocol: workers that take jobs and report attempts, a scheduler that leases, expires
 * and publishes, and between them a network that loses and doubles what they say, and keeps it for
 * as long as it likes.
 *
 * What a worker says about an attempt that is not the present one of its job changes nothing: that is
 * the guard.  With -DNO_GUARD it is not there, and spin finds what happens then.
 *
 * Names are those of the code: scheduler/core/worker_call.cc (Hear), scheduler/core/attempt_life.cc (Claim,
 * EndAttempt), scheduler/core/publication.cc (RecordIntent, Conclude), worker/session/session_orders.cc (Obey).
 * A worker's call waits at the scheduler, so that work is given to it at any time.
 */
#define WORKERS 2
#define JOBS 2
#define ATTEMPTS 3
#define NONE 3
#ifdef NO_GUARD
#define IS_PRESENT(job, number) true
#else
#define IS_PRESENT(job, number) (attempt[job] == number)
#endif

mtype:state = { QUEUED, RUNNING, PUBLISHING, SUCCEEDED };
mtype:order = { RUN, PUBLISHED, NOT_NAMED };

/* A result: job, attempt.  One of each worker is on its way at a time. */
chan finished[WORKERS] = [1] of { byte, byte };
/* An answer: worker, job, attempt. */
chan answer = [1] of { byte, byte, byte, mtype:order };

/* What the scheduler's database holds. */
mtype:state state[JOBS] = QUEUED;
byte attempt[JOBS];
byte holder[JOBS] = NONE;

/* What nobody in the fleet knows, to check by. */
byte versions[JOBS];

inline Answer(worker, job, number, order) {
  if
  :: nfull(answer) -> answer!worker, job, number, order
  :: full(answer)  /* lost */
  fi
}

inline Claim(worker, job) {
  assert(state[job] == QUEUED);
  state[job] = RUNNING;
  attempt[job]++;
  holder[job] = worker;
  Answer(worker, job, attempt[job], RUN)
}

inline Expire(job) {
  assert(state[job] == RUNNING);
  state[job] = QUEUED;
  holder[job] = NONE
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
end:
  do
  :: atomic {
       select(w : 0 .. WORKERS - 1);
       if
       :: nempty(finished[w]) ->
          if
          :: finished[w]?j, a
          :: finished[w]?<j, a>  /* it will come once more */
          fi;
          Hear(w, j, a);
          j = 0; a = 0
       :: empty(finished[w])
       fi;
       w = 0
     }
  :: atomic {
       select(w : 0 .. WORKERS - 1);
       select(j : 0 .. JOBS - 1);
       if
       :: state[j] == QUEUED && attempt[j] < ATTEMPTS && holder[1 - j] != w -> Claim(w, j)
       :: state[j] == RUNNING && holder[j] == w -> Answer(w, j, attempt[j], RUN)  /* again */
       :: state[j] == RUNNING -> Expire(j)
       :: state[j] == PUBLISHING -> Conclude(j)
       :: else
       fi;
       w = 0; j = 0
     }
  od
}

active [WORKERS] proctype worker() {
  byte me = _pid - 1;
  byte job = NONE, number, j, a;
  bool done;
  mtype:order told;
end:
  do
  :: atomic { job != NONE && !done -> done = true }
  :: atomic { job != NONE && done && nfull(finished[me]) -> finished[me]!job, number }
  :: atomic {
       if  /* an answer, or one that will come once more */
       :: answer?eval(me), j, a, told
       :: answer?<eval(me), j, a, told>
       fi;
       if
       :: told == RUN && job == NONE -> job = j; number = a; done = false
       :: told != RUN && job == j && number == a -> job = NONE; number = 0; done = false
       :: else
       fi;
       j = 0; a = 0; told = 0
     }
  :: atomic { job != NONE -> job = NONE; number = 0; done = false }  /* it dies, and starts anew */
  od
}

active proctype network() {
end:
  do
  :: finished[0]?_, _  /* lost */
  :: finished[1]?_, _
  :: answer?_, _, _, _
  od
}
