# Writes build/targets.json: each target's type, sources and the targets that it links, for tests of
# what a program is made of (class_names_test.py).
function(mozgach_list_targets directory out)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  set(lines "")
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(NOT type MATCHES "EXECUTABLE|LIBRARY" OR type STREQUAL INTERFACE_LIBRARY)
      continue()
    endif()
    get_target_property(folder ${target} SOURCE_DIR)
    get_target_property(sources ${target} SOURCES)
    get_target_property(linked ${target} LINK_LIBRARIES)
    string(APPEND lines "  {\"name\": \"${target}\", \"type\": \"${type}\", \"folder\": \"${folder}\","
      " \"sources\": \"${sources}\", \"links\": \"${linked}\"},\n")
  endforeach()
  get_property(below DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(folder ${below})
    mozgach_list_targets(${folder} found)
    string(APPEND lines "${found}")
  endforeach()
  set(${out} "${lines}" PARENT_SCOPE)
endfunction()

function(mozgach_write_targets)
  mozgach_list_targets(${CMAKE_SOURCE_DIR} lines)
  string(REGEX REPLACE ",\n$" "\n" lines "${lines}")
  file(WRITE ${CMAKE_BINARY_DIR}/targets.json "[\n${lines}]\n")
endfunction()

# Once all targets are known.
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL mozgach_write_targets)
