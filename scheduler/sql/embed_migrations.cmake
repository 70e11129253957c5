# cmake -DOUTPUT=schema.cc -DFILES="0001_a.sql|0002_b.sql" -P embed_migrations.cmake
#
# Writes the definition of scheduler/state/schema.h.  A file's number is the first part of its name.
string(REPLACE "|" ";" files "${FILES}")
set(source "// Generated from scheduler/sql/; edit the .sql files.\n#include \"scheduler/state/schema.h\"\n\n")
string(APPEND source "namespace mozgach {\n\nconst std::vector<Migration>& Schema() {\n")
string(APPEND source "  static const std::vector<Migration> migrations = {\n")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  string(REGEX MATCH "^0*([1-9][0-9]*)_" ignored "${name}")
  file(READ "${file}" text)
  string(APPEND source "      {${CMAKE_MATCH_1}, \"${name}\", R\"sql(${text})sql\"},\n")
endforeach()
string(APPEND source "  };\n  return migrations;\n}\n\n}  // namespace mozgach\n")
file(WRITE "${OUTPUT}" "${source}")
