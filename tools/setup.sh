# Sourced by ./check and ./quickstart: what must be installed, and its installation.
#
#   setup_install YES PURPOSE...    YES: 1 does not ask
#
# PURPOSE is build, check, e2e, clients, all, vm, light or full.
#
# Debian 12 only; elsewhere it says what is needed and stops. HEARTH_SETUP=skip trusts the machine.

setup_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

setup_packages() {
  local purpose list
  for purpose in "$@"; do
    case $purpose in
      build)
        echo g++ cmake ninja-build ccache python3 ca-certificates libboost-dev libyaml-cpp-dev \
          nlohmann-json3-dev libicu-dev libsqlite3-dev libcli11-dev ;;
      check) echo libgtest-dev procps ;;
      e2e) echo python3-prometheus-client ;;
      clients) echo python3-venv ;;
      all)
        echo clang-19 clang-format-19 libclang-rt-19-dev llvm-19 g++-aarch64-linux-gnu \
          qemu-user-static valgrind ;;
      vm) echo qemu-system-x86 busybox-static cpio binutils ;;
      light | full)
        list=$setup_top/examples/assistant/packages-$purpose.txt
        [[ ! -e $list ]] || sed 's/#.*//' "$list" ;;
      *) echo "setup: unknown purpose $purpose" >&2; return 2 ;;
    esac
  done | tr -s ' \t' '\n' | sed '/^$/d' | sort -u
}

setup_missing() {
  local have
  have=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' 2>/dev/null |
    awk '$2 == "ii" {print $1}')
  comm -23 <(printf '%s\n' "$@") <(sort -u <<<"$have")
}

setup_is_debian_12() {
  [[ -r /etc/os-release ]] || return 1
  (. /etc/os-release; [[ ${ID:-} == debian && ${VERSION_ID:-} == 12* ]])
}

setup_as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

# Three tries: a mirror may hiccup. What fails is shown by the caller, from the log.
setup_apt() {
  local try
  for try in 1 2 3; do
    if setup_as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q \
      -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 "$@" </dev/null; then
      return 0
    fi
    sleep $((try * 3))
    [[ $1 == update ]] || setup_as_root apt-get -q -o Acquire::Retries=3 update </dev/null || true
  done
  return 1
}

setup_refresh_lists() {
  if compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null && [[ -z ${1:-} ]]; then return 0; fi
  setup_apt update >>"$setup_log" 2>&1
}

setup_fail() {
  echo "$1" >&2
  [[ ! -s ${setup_log:-} ]] || { echo "The end of $setup_log:" >&2; tail -n 30 "$setup_log" >&2; }
  return 1
}

setup_install() {
  local yes=$1 wanted missing plan
  shift
  [[ ${HEARTH_SETUP:-} != skip ]] || return 0
  mapfile -t wanted < <(setup_packages "$@")
  if ! setup_is_debian_12; then
    echo "This sets itself up on Debian 12. Elsewhere, please install what these packages hold:" >&2
    printf '%s\n' "${wanted[*]}" | fold -s -w 90 | sed 's/^/  /' >&2
    echo "(g++ 12 or newer, CMake 3.25, Boost 1.74), and run again with HEARTH_SETUP=skip." >&2
    return 1
  fi
  setup_log=$setup_top/build/setup.log
  [[ " $* " != *" e2e "* ]] || setup_promtool "$yes" || return 1
  [[ " $* " != *" vm "* ]] || setup_kernel "$yes" || return 1
  mapfile -t missing < <(setup_missing "${wanted[@]}")
  ((${#missing[@]})) || return 0

  if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
    echo "These packages are missing, and there is no sudo to install them with. As root:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  mkdir -p "$setup_top/build"
  : >"$setup_log"
  setup_refresh_lists || { setup_fail "The package lists could not be fetched."; return 1; }
  local options=(install --no-install-recommends --no-remove)
  if ! plan=$(setup_plan); then
    setup_refresh_lists again || { setup_fail "The package lists could not be fetched."; return 1; }
    plan=$(setup_plan) ||
      { echo "$plan" >&2; setup_fail "apt cannot install what is needed."; return 1; }
  fi
  echo "To be installed from Debian, with what they need:"
  printf '%s\n' "${missing[*]}" | fold -s -w 90 | sed 's/^/  /'
  sed -n 's/^Need to get /  Download: /p; s/^After this operation, /  On disk: /p' <<<"$plan" |
    sed 's/ will be used\.$//'
  setup_agreed "$yes" "Install them now?" || return 1
  echo "Installing ..."
  local started=$SECONDS
  setup_apt "${options[@]}" -y "${missing[@]}" >>"$setup_log" 2>&1 ||
    { setup_fail "The installation failed."; return 1; }
  mapfile -t missing < <(setup_missing "${wanted[@]}")
  ((${#missing[@]} == 0)) || { setup_fail "Still missing: ${missing[*]}"; return 1; }
  echo "Installed in $((SECONDS - started)) s."
}

setup_agreed() {
  local answer
  ((!$1)) || return 0
  if [[ ! -t 0 ]]; then
    echo "No terminal to ask on: run again with --yes." >&2
    return 1
  fi
  read -r -p "$2 [Y/n] " answer
  [[ ${answer:-y} == [Yy]* ]] || { echo "Nothing was installed." >&2; return 1; }
}

# promtool comes in Debian's package of the Prometheus server, which would listen on every address
# of this machine once it is installed. The program alone is taken out of it, into build/.
setup_promtool() {
  local target=$setup_top/build/tools/promtool folder
  if command -v promtool >/dev/null || [[ -x $target ]]; then return 0; fi
  echo "To be fetched from Debian: promtool, into build/tools (of the package prometheus, 19 MB;"
  echo "  49 MB on disk, nothing else of it is kept)"
  setup_agreed "$1" "Fetch it now?" || return 1
  mkdir -p "$setup_top/build/tools"
  : >"$setup_log"
  setup_refresh_lists || { setup_fail "The package lists could not be fetched."; return 1; }
  folder=$(mktemp -d "$setup_top/build/tools/fetched-XXXXXX") || return 1
  if setup_download "$folder" prometheus && dpkg-deb --fsys-tarfile "$folder"/prometheus_*.deb |
    tar -x -C "$folder" ./usr/bin/promtool; then
    mv "$folder/usr/bin/promtool" "$target"
  fi
  rm -rf "$folder"
  [[ -x $target ]] || { setup_fail "promtool could not be fetched."; return 1; }
}

# The kernel of the virtual machine in which ./check --vm tests. It is not installed, which would
# change how this machine boots: its image and the modules of swap in memory are taken out of the
# package, into build/vm/kernels/PACKAGE_VERSION. One that is there stays; remove the folder for a
# newer one.
setup_kernel() {
  local place=$setup_top/build/vm/kernels folder file
  if compgen -G "$place/linux-image-*/boot/vmlinuz-*" >/dev/null; then return 0; fi
  [[ $(uname -m) == x86_64 ]] || return 0
  echo "To be fetched from Debian: a kernel for a virtual machine, into build/vm (of the package"
  echo "  linux-image-cloud-amd64, 27 MB; 14 MB on disk, nothing of it is installed)"
  setup_agreed "$1" "Fetch it now?" || return 1
  mkdir -p "$place"
  : >"$setup_log"
  setup_refresh_lists || { setup_fail "The package lists could not be fetched."; return 1; }
  folder=$(mktemp -d "$place/fetched-XXXXXX") || return 1
  # New lists may know it by another name.
  if setup_download "$folder" "$(setup_kernel_package)" ||
    setup_download "$folder" "$(setup_kernel_package)"; then
    file=$(echo "$folder"/linux-image-*.deb)
    mkdir "$folder/taken" && dpkg-deb --fsys-tarfile "$file" |
      tar -x -C "$folder/taken" --wildcards './boot/vmlinuz-*' './lib/modules/*/mm/zsmalloc.ko' \
        './lib/modules/*/crypto/lzo-rle.ko' './lib/modules/*/zram/zram.ko' 2>>"$setup_log" &&
      mv "$folder/taken" "$place/$(basename "$file" .deb)"
  fi
  rm -rf "$folder"
  compgen -G "$place/linux-image-*/boot/vmlinuz-*" >/dev/null ||
    { setup_fail "The kernel could not be fetched."; return 1; }
}

# linux-image-cloud-amd64 only names the package of the day, whose file is wanted.
setup_kernel_package() {
  LC_ALL=C apt-cache depends linux-image-cloud-amd64 |
    awk '$1 == "Depends:" && $2 ~ /^linux-image-/ {print $2; exit}'
}

# One package's file, which needs no root. Three tries like setup_apt's, with new lists where the
# old name a version that the mirror has no more.
setup_download() {
  local try
  for try in 1 2 3; do
    (cd "$1" && apt-get -q -o Acquire::Retries=3 download "$2") >>"$setup_log" 2>&1 && return 0
    ((try < 3)) || return 1
    sleep $((try * 3))
    setup_refresh_lists again || true
  done
}

# What apt would do, without its lock, which only root may take; --assume-no makes it stop with
# status 1 where it would have asked.
setup_plan() {
  local text
  text=$(LC_ALL=C apt-get "${options[@]}" -o Debug::NoLocking=1 --assume-no "${missing[@]}" \
    2>&1 </dev/null) || true
  echo "$text"
  grep -q 'newly installed' <<<"$text"
}

# As many compilers at once as there are cores, and 1 GB of free memory for each.
setup_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ {print int($2 / 1000000)}' /proc/meminfo 2>/dev/null)
  memory=${memory:-$cores}
  ((memory >= 1)) || memory=1
  echo $((cores < memory ? cores : memory))
}
