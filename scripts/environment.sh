#!/bin/sh
# environment.sh PYTHON FOLDER: make a virtual environment and install Lapwing and all it needs into it.
set -eu
python=$1
folder=$2

fail() {
  echo "$1" >&2
  exit 1
}

command -v "$python" >/dev/null 2>&1 || fail "Lapwing needs Python 3.11 or newer, and there is no $python"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "Lapwing needs Python 3.11 or newer; $python is older. Another one is chosen with: make PYTHON=python3.12"

# Debian keeps what `venv` needs in a package of its own.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing $package"
    export DEBIAN_FRONTEND=noninteractive
    said=$({ apt-get -qq update && apt-get -qq install --yes --no-install-recommends "$package"; } 2>&1 </dev/null) ||
      fail "$package could not be installed: $(echo "$said" | tail -n 1)"
  else
    fail "Python's venv module is not complete; on Debian: apt-get install $package"
  fi
fi

# The stamp holds the folder it was made in: an environment that was copied there runs the code of another.
stamp=$folder/.installed
if ! "$folder/bin/python" -c 'import pip' 2>/dev/null || [ "$(cat "$stamp" 2>/dev/null)" != "$PWD" ]; then
  "$python" -m venv --clear "$folder" || fail "no virtual environment could be made in $folder"
fi
echo "installing Lapwing and its dependencies into $folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,desk,dev,oidc,postgres,registry,report,s3,xlsx]' ||
  fail "the dependencies could not be installed"
echo "$PWD" >"$stamp"
