#!/bin/sh
# Installs the Debian packages that a bare machine lacks, or names them in one line where it may not.
# Usage: system-packages.sh [runtime|test]...   Does nothing, and needs no rights, where all is there.
set -eu

# Kinds of need: a shared library (a file that the loader finds), a Python module, a command.
python=${PYTHON:-python3.11}
missing=""

need_library() { # soname, package
    /sbin/ldconfig -p 2>/dev/null | grep -q "$1" || missing="$missing $2"
}
need_command() { # command, package
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need_module() { # module, package
    "$1" -c "import $2" >/dev/null 2>&1 || missing="$missing $3"
}

runtime() {
    need_command "$python" python3
    need_module "$python" ensurepip python3-venv
    # What the bpy wheel links to, and off-screen OpenGL for pyvista.
    need_library libX11.so.6 libx11-6
    need_library libXrender.so.1 libxrender1
    need_library libXxf86vm.so.1 libxxf86vm1
    need_library libXfixes.so.3 libxfixes3
    need_library libXi.so.6 libxi6
    need_library libxkbcommon.so.0 libxkbcommon0
    need_library libSM.so.6 libsm6
    need_library libICE.so.6 libice6
    need_library libGL.so.1 libgl1
    need_library libEGL.so.1 libegl1
    need_library libgomp.so.1 libgomp1
}

test_tools() { # the stock Blender binary that the tests drive (its Python is the system's), and a browser
    need_command blender blender
    command -v google-chrome >/dev/null 2>&1 || need_command chromium chromium
    [ -x /usr/bin/python3 ] && need_module /usr/bin/python3 numpy python3-numpy
    return 0
}

for what in "${@:-runtime}"; do
    case $what in
        runtime) runtime ;;
        test) test_tools ;;
        *) echo "system-packages.sh: unknown group $what; use runtime or test" >&2; exit 2 ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "set-up: this machine lacks what these Debian packages hold:$missing; install them by your system's means" >&2
    exit 1
fi
root=""
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        root="sudo"
    else
        echo "set-up: missing system packages; run as root: apt-get install -y --no-install-recommends$missing" >&2
        exit 1
    fi
fi
echo "set-up: installing system packages:$missing"
$root apt-get update -qq || true # the install below says what matters
# shellcheck disable=SC2086 # the list is meant to be split
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || {
    echo "set-up: these system packages could not be installed:$missing; install them by hand and run make again" >&2
    exit 1
}
