#!/bin/sh
# Generates the C code for our protobuf messages from the .proto files in this folder.
#
#   Sources/Proto/generate.sh            writes *.pb-c.c here and *.pb-c.h in include/
#   Sources/Proto/generate.sh --check    writes nothing; exits with 1 if a committed file differs
#                                        from what the .proto files give
#
# For each NAME.proto it runs
#
#   protoc-c --proto_path=Sources/Proto --c_out=DIR NAME.proto
#
# This requires protoc-c (Debian: protobuf-c-compiler). Its version appears in the output only as a
# bound in the header, so all versions of a minor release give the same files.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mode=${1:-write}
case $mode in
  write | --check) ;;
  *)
    echo "usage: generate.sh [--check]" >&2
    exit 64
    ;;
esac
if ! command -v protoc-c >/dev/null; then
  echo "generate.sh: protoc-c is missing; apt-get install protobuf-c-compiler" >&2
  exit 69
fi

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
stale=0
for name in onnx tfevents; do
  protoc-c --proto_path="$here" --c_out="$made" "$name.proto"
  for file in "$name.pb-c.c" "include/$name.pb-c.h"; do
    new="$made/$(basename "$file")"
    if [ "$mode" = write ]; then
      mkdir -p "$(dirname "$here/$file")"
      cp "$new" "$here/$file"
    elif ! cmp -s "$new" "$here/$file"; then
      echo "generate.sh: Sources/Proto/$file is not current; run make proto" >&2
      stale=1
    fi
  done
done
exit $stale
