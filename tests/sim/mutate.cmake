# cmake -DMUTANT=name.mutant -DSOURCE=file -DOUTPUT=file -P mutate.cmake
#
# Writes SOURCE with the fault of the mutant planted.  A text that is not there exactly once any more
# is an error: the mutant has to follow the code.
file(READ "${MUTANT}" mutant)
file(READ "${SOURCE}" source)
string(REGEX MATCH "--- as it is\n(.*)\n\\+\\+\\+ as it is planted\n(.*)\n===" ignored "${mutant}")
set(old "${CMAKE_MATCH_1}")
set(new "${CMAKE_MATCH_2}")
string(FIND "${source}" "${old}" first)
string(FIND "${source}" "${old}" last REVERSE)
if("${old}" STREQUAL "" OR first EQUAL -1 OR NOT first EQUAL last)
  message(FATAL_ERROR "${MUTANT}: its text is not in ${SOURCE} exactly once")
endif()
string(REPLACE "${old}" "${new}" source "${source}")
file(WRITE "${OUTPUT}" "${source}")
